#include "tools/pqctl/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace pqd::ctl {
namespace {

struct Unit {
  std::string_view name;
  double ms;
};
constexpr std::array<Unit, 5> kUnits{{{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3'600e3}, {"d", 86'400e3}}};
constexpr double kDurationMsMax = 1'000.0 * 366 * 86'400e3;

// Takes exactly `digits` decimal digits off the front.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool in_range(int value, int low, int high) { return value >= low && value <= high; }

bool take_date(std::string_view& text, std::tm& time) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return false;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return false;
  const auto day = take_number(text, 2);
  if (!day || !in_range(*month, 1, 12) || *year < 1970) return false;
  const auto date =
      std::chrono::year_month_day(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                  std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return false;
  time.tm_year = *year - 1900;
  time.tm_mon = *month - 1;
  time.tm_mday = *day;
  return true;
}

// HH:MM[:SS[.fraction]]
bool take_clock(std::string_view& text, std::tm& time, int& milliseconds) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_number(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return false;
  time.tm_hour = *hour;
  time.tm_min = *minute;
  if (!take(text, ':')) return true;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return false;
  time.tm_sec = *second;
  if (!take(text, '.')) return true;
  size_t digits = 0;
  for (int scale = 100; !text.empty() && text.front() >= '0' && text.front() <= '9'; scale /= 10, ++digits) {
    milliseconds += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return digits > 0;
}

// Seconds east of Greenwich; nothing when `text` is not a whole zone.
std::optional<int> zone_seconds(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const int sign = take(text, '-') ? -1 : 1;
  if (sign > 0 && !take(text, '+')) return std::nullopt;
  const auto hours = take_number(text, 2);
  take(text, ':');
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 14 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

}  // namespace

std::optional<Milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value) || value < 0 || std::signbit(value)) return std::nullopt;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    const double ms = value * known.ms;
    if (ms > kDurationMsMax) return std::nullopt;
    return Milliseconds(std::llround(ms));
  }
  return std::nullopt;
}

std::string duration_text(Milliseconds duration) {
  const int64_t ms = std::max<int64_t>(duration.count(), 0);
  if (ms < 1'000) return std::to_string(ms) + "ms";
  const int64_t s = ms / 1'000;
  const auto both = [](int64_t a, const char* unit_a, int64_t b, const char* unit_b) {
    return std::to_string(a) + unit_a + (b != 0 ? std::to_string(b) + unit_b : "");
  };
  if (s < 10 && ms % 1'000 >= 100) return std::to_string(s) + "." + std::to_string(ms % 1'000 / 100) + "s";
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3'600) return both(s / 60, "m", s % 60, "s");
  if (s < 86'400) return both(s / 3'600, "h", s % 3'600 / 60, "m");
  return both(s / 86'400, "d", s % 86'400 / 3'600, "h");
}

std::optional<int64_t> parse_time_ms(std::string_view text) {
  std::tm time{};
  int milliseconds = 0;
  if (!take_date(text, time)) return std::nullopt;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    if (!take_clock(text, time, milliseconds)) return std::nullopt;
  }
  int64_t seconds = 0;
  if (text.empty()) {
    time.tm_isdst = -1;
    seconds = std::mktime(&time);
  } else {
    const auto east = zone_seconds(text);
    if (!east) return std::nullopt;
    seconds = ::timegm(&time) - *east;
  }
  if (seconds < 0) return std::nullopt;
  return seconds * 1'000 + milliseconds;
}

std::string iso_time(TimeNs time_ns) {
  if (time_ns == 0) return {};
  const std::time_t seconds = time_ns / kSecondNs;
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  char date[64];
  const size_t length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &time);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(time_ns % kSecondNs / kMillisecondNs));
  return std::string(date, length) + fraction;
}

int64_t unix_now_ms() {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace pqd::ctl
