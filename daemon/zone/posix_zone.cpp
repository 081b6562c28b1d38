#include "daemon/zone/posix_zone.h"

#include <algorithm>
#include <array>

#include "core/civil.h"

namespace pqd {
namespace {

constexpr int64_t kDay_s = 86'400;

// Reads the rule from the left; what does not fit turns `failed`.
struct Scanner {
  std::string_view text;
  bool failed = false;

  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  void expect(char c) { failed |= !take(c); }
  int number(int max) {
    int value = 0;
    size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9')
      value = value * 10 + (text[digits++] - '0');
    failed |= digits == 0 || value > max;
    text.remove_prefix(digits);
    return value;
  }
  // [+-]hh[:mm[:ss]], in seconds.
  int time(int hours_max) {
    const bool minus = take('-');
    if (!minus) take('+');
    int seconds = number(hours_max) * 3'600;
    if (take(':')) seconds += number(59) * 60;
    if (take(':')) seconds += number(59);
    return minus ? -seconds : seconds;
  }
  // The abbreviation tells nobody anything here.
  void name() {
    const bool quoted = take('<');
    size_t length = 0;
    const auto inside = [&](char c) {
      if (quoted) return c != '>';
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    while (length < text.size() && inside(text[length])) ++length;
    failed |= length < 3;
    text.remove_prefix(length);
    if (quoted) expect('>');
  }
  YearlyChange change() {
    YearlyChange change;
    if (take('M')) {
      change.month = number(12);
      expect('.');
      change.week = number(5);
      expect('.');
      change.day = number(6);
      failed |= change.month == 0 || change.week == 0;
    } else if (take('J')) {
      change.kind = YearlyChange::Kind::kDayWithoutLeap;
      change.day = number(365);
      failed |= change.day == 0;
    } else {
      change.kind = YearlyChange::Kind::kDay;
      change.day = number(365);
    }
    if (take('/')) change.time_s = time(167);
    return change;
  }
};

}  // namespace

int64_t YearlyChange::local_s(int64_t year) const {
  int64_t days = days_before_year(year);
  switch (kind) {
    case Kind::kDay:
      days += day;
      break;
    case Kind::kDayWithoutLeap:
      days += day - 1 + (is_leap_year(year) && day >= 60 ? 1 : 0);
      break;
    case Kind::kWeekday: {
      const int64_t first = days_of({year, month, 1});
      int date = 1 + (day - weekday_of(first) + 7) % 7 + (week - 1) * 7;
      while (date > days_in_month(year, month)) date -= 7;
      days = first + date - 1;
      break;
    }
  }
  return days * kDay_s + time_s;
}

std::optional<PosixZone> PosixZone::parse(std::string_view text) {
  Scanner in{text};
  PosixZone zone;
  in.name();
  zone.standard_s_ = -in.time(24);
  if (!in.text.empty()) {
    zone.has_summer_ = true;
    in.name();
    const bool given = !in.text.empty() && in.text.front() != ',';
    zone.summer_s_ = given ? -in.time(24) : zone.standard_s_ + 3'600;
    in.expect(',');
    zone.to_summer_ = in.change();
    in.expect(',');
    zone.to_standard_ = in.change();
  }
  if (in.failed || !in.text.empty()) return std::nullopt;
  return zone;
}

ZoneSpan PosixZone::span_at(int64_t unix_s) const {
  if (!has_summer_) return {.offset_s = standard_s_};
  struct Change {
    int64_t at_s;
    int32_t offset_s;
  };
  const int64_t year = civil_of(floor_div(unix_s + standard_s_, kDay_s)).year;
  std::array<Change, 8> changes{};
  size_t count = 0;
  // A year on both sides, and one more, because a change may fall into the year beside its own.
  for (int64_t y = year - 2; y <= year + 1; ++y) {
    Change summer{to_summer_.local_s(y) - standard_s_, summer_s_};
    Change standard{to_standard_.local_s(y) - summer_s_, standard_s_};
    if (standard.at_s < summer.at_s) std::swap(summer, standard);
    changes[count++] = summer;
    changes[count++] = standard;
  }
  // Two at one instant leave a season of no length; the later one holds.
  std::ranges::stable_sort(changes, {}, &Change::at_s);
  const auto next = std::ranges::upper_bound(changes, unix_s, {}, &Change::at_s);
  const Change& now = *std::prev(next);
  return {now.at_s, next == changes.end() ? std::numeric_limits<int64_t>::max() : next->at_s, now.offset_s};
}

}  // namespace pqd
