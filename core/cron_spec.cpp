#include "core/cron_spec.h"

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "core/limits.h"

namespace pqd {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned low;
  unsigned high;
  std::span<const std::string_view> words;  // the first one means `low`
};
constexpr std::array kFields{
    Field{"minute", 0, 59, {}},
    Field{"hour", 0, 23, {}},
    Field{"day of month", 1, 31, {}},
    Field{"month", 1, 12, kMonths},
    Field{"day of week", 0, 7, kWeekdays},
};

struct Named {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array kNamed{
    Named{"@hourly", "0 * * * *"},   Named{"@daily", "0 0 * * *"},   Named{"@midnight", "0 0 * * *"},
    Named{"@weekly", "0 0 * * 0"},   Named{"@monthly", "0 0 1 * *"}, Named{"@yearly", "0 0 1 1 *"},
    Named{"@annually", "0 0 1 1 *"},
};

using Fault = std::unexpected<std::string>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool digit(char c) { return c >= '0' && c <= '9'; }

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<unsigned> number(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (!digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators, bool keep_empty) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && separators.find(text[at]) == std::string_view::npos) continue;
    if (keep_empty || at > begin) parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return parts;
}

Fault fault(const Field& field, std::string_view part, const std::string& why) {
  return Fault(std::string(field.name) + " \"" + std::string(part) + "\": " + why);
}

std::string range_text(const Field& field) {
  std::string text = std::to_string(field.low) + " to " + std::to_string(field.high);
  if (!field.words.empty())
    text += ", or " + std::string(field.words.front()) + " to " + std::string(field.words.back());
  return text;
}

std::expected<unsigned, std::string> value_of(const Field& field, std::string_view text,
                                              std::string_view part) {
  if (text.empty()) return fault(field, part, "a value is missing");
  for (size_t i = 0; i < field.words.size(); ++i) {
    if (same_word(text, field.words[i])) return field.low + static_cast<unsigned>(i);
  }
  const auto value = number(text);
  if (value && *value >= field.low && *value <= field.high) return *value;
  return fault(field, part, "must be " + range_text(field));
}

struct Range {
  unsigned from;
  unsigned to;
};

std::expected<Range, std::string> range_of(const Field& field, std::string_view text, std::string_view part) {
  // 7 is another name of Sunday, not an eighth day.
  if (text == "*") return Range{field.low, field.words.size() == 7 ? 6 : field.high};
  const size_t dash = text.find('-');
  const auto from = value_of(field, text.substr(0, dash), part);
  if (!from) return Fault(from.error());
  if (dash == std::string_view::npos) return Range{*from, *from};
  auto to = value_of(field, text.substr(dash + 1), part);
  if (!to) return Fault(to.error());
  if (*to == 0 && *from > 0 && field.words.size() == 7) *to = 7;  // fri-sun
  if (*to < *from) return fault(field, part, "the range runs backwards");
  return Range{*from, *to};
}

std::expected<uint64_t, std::string> bits_of_part(const Field& field, std::string_view part) {
  const size_t slash = part.find('/');
  const std::string_view base = part.substr(0, slash);
  const auto range = range_of(field, base, part);
  if (!range) return Fault(range.error());
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    if (base != "*" && base.find('-') == std::string_view::npos) {
      return fault(field, part,
                   "a step follows * or a range, as in " + std::string(base) + "-" +
                       std::to_string(field.high) + std::string(part.substr(slash)));
    }
    const auto given = number(part.substr(slash + 1));
    if (!given || *given == 0 || *given > field.high)
      return fault(field, part, "the step must be 1 to " + std::to_string(field.high));
    step = *given;
  }
  uint64_t bits = 0;
  for (unsigned value = range->from; value <= range->to; value += step) bits |= uint64_t{1} << value;
  return bits;
}

std::expected<uint64_t, std::string> bits_of(const Field& field, std::string_view text) {
  uint64_t bits = 0;
  for (const std::string_view part : split(text, ",", true)) {
    const auto more = bits_of_part(field, part);
    if (!more) return more;
    bits |= *more;
  }
  return bits;
}

bool some_date_exists(uint32_t days, uint16_t months) {
  constexpr std::array<int, 13> kLongest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (size_t month = 1; month < kLongest.size(); ++month) {
    const uint32_t there = ((uint32_t{2} << kLongest[month]) - 1) & days;
    if (((months >> month) & 1) != 0 && there != 0) return true;
  }
  return false;
}

std::expected<CronSpec, std::string> parse_fields(std::string_view text) {
  const auto parts = split(text, " \t", false);
  if (parts.size() != kFields.size()) {
    return Fault("there are " + std::to_string(parts.size()) +
                 " fields where five are wanted: minute, hour, day of month, month, day of week" +
                 (parts.size() == 6 ? "; seconds are not among them, see @every" : ""));
  }
  std::array<uint64_t, kFields.size()> bits{};
  for (size_t i = 0; i < kFields.size(); ++i) {
    const auto field = bits_of(kFields[i], parts[i]);
    if (!field) return Fault(field.error());
    bits[i] = *field;
  }
  CronSpec spec;
  spec.minutes = bits[0];
  spec.hours = static_cast<uint32_t>(bits[1]);
  spec.days = static_cast<uint32_t>(bits[2]);
  spec.months = static_cast<uint16_t>(bits[3]);
  spec.weekdays = static_cast<uint8_t>((bits[4] | bits[4] >> 7) & 0x7F);
  spec.every_hour = parts[1].starts_with('*');
  spec.any_day = parts[2].starts_with('*');
  spec.any_weekday = parts[4].starts_with('*');
  const bool either = !spec.any_day && !spec.any_weekday;
  if (!either && !some_date_exists(spec.days, spec.months)) {
    return Fault("it would never run: no month of \"" + std::string(parts[3]) + "\" has a day \"" +
                 std::string(parts[2]) + "\"");
  }
  return spec;
}

// "90s", "1h30m": numbers with units, each unit once, the longest first.
std::expected<CronSpec, std::string> parse_interval(std::string_view text) {
  constexpr std::string_view kUnits = "dhms";
  constexpr std::array<int64_t, 4> kSeconds{86'400, 3'600, 60, 1};
  const auto wrong = [&](const std::string& why) {
    return Fault("@every \"" + std::string(text) + "\": " + why + "; write it like 90s, 1h30m or 2d");
  };
  CronSpec spec;
  size_t unit_from = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && digit(text[end])) ++end;
    const auto count = number(text.substr(at, end - at));
    if (!count) return wrong("a number is missing or too large");
    const size_t unit = end < text.size() ? kUnits.find(text[end], unit_from) : std::string_view::npos;
    if (unit == std::string_view::npos) return wrong("a number is followed by d, h, m or s, in this order");
    spec.interval_s += int64_t{*count} * kSeconds[unit];
    unit_from = unit + 1;
    at = end + 1;
  }
  if (spec.interval_s < 1) return wrong("it must be 1 s at least");
  if (spec.interval_s > limits::kCronIntervalSecondsMax) return wrong("it must be 10 years at most");
  return spec;
}

}  // namespace

std::expected<CronSpec, std::string> parse_cron_spec(std::string_view text) {
  if (text.size() > limits::kCronSpecBytesMax)
    return Fault("it is over " + std::to_string(limits::kCronSpecBytesMax) + " bytes");
  if (!text.starts_with('@')) return parse_fields(text);
  const auto words = split(text, " \t", false);
  if (same_word(words[0], "@every")) {
    if (words.size() != 2) return Fault("@every takes one interval; write it like 90s, 1h30m or 2d");
    return parse_interval(words[1]);
  }
  for (const Named& named : kNamed) {
    if (words.size() == 1 && same_word(words[0], named.name)) return parse_fields(named.fields);
  }
  return Fault("\"" + std::string(text) +
               "\" is none of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @every");
}

}  // namespace pqd
