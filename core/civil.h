// Days of the Gregorian calendar, counted from 1970-01-01. Pure functions.
#pragma once

#include <cstdint>

namespace pqd {

struct CivilDate {
  int64_t year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
};

// Rounded towards minus infinity. REQUIRES: by > 0.
constexpr int64_t floor_div(int64_t value, int64_t by) {
  return value >= 0 ? value / by : -((-value + by - 1) / by);
}

constexpr bool is_leap_year(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

constexpr int days_in_month(int64_t year, int month) {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Of the first day of a year.
constexpr int64_t days_before_year(int64_t year) {
  const int64_t y = year - 1;
  constexpr int64_t kBefore1970 = 719'162;
  return y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - kBefore1970;
}

constexpr int64_t days_of(const CivilDate& date) {
  int64_t days = days_before_year(date.year) + date.day - 1;
  for (int month = 1; month < date.month; ++month) days += days_in_month(date.year, month);
  return days;
}

constexpr CivilDate civil_of(int64_t days) {
  // 146'097 days are 400 years; the guess is off by a year at most.
  CivilDate date{.year = 1970 + floor_div(days * 400, 146'097)};
  while (days_before_year(date.year) > days) --date.year;
  while (days_before_year(date.year + 1) <= days) ++date.year;
  auto rest = static_cast<int>(days - days_before_year(date.year));
  while (rest >= days_in_month(date.year, date.month)) rest -= days_in_month(date.year, date.month++);
  date.day = rest + 1;
  return date;
}

// 0 = Sunday. 1970-01-01 was a Thursday.
constexpr int weekday_of(int64_t days) { return static_cast<int>(days + 4 - floor_div(days + 4, 7) * 7); }

static_assert(days_of({1970, 1, 1}) == 0 && days_of({2000, 3, 1}) == 11'017 && days_of({1969, 12, 31}) == -1);
static_assert(civil_of(11'016).month == 2 && civil_of(11'016).day == 29 && weekday_of(11'016) == 2);

}  // namespace pqd
