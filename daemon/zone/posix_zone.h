// The rule that a TZif file ends with, for all times after its table: "CET-1CEST,M3.5.0,M10.5.0/3", as POSIX
// describes the variable TZ, with the hours beyond 24 that RFC 9636 allows. A value; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/zone_rules.h"

namespace pqd {

// A day of each year and a time on it, when the clocks are changed.
struct YearlyChange {
  enum class Kind : uint8_t { kWeekday, kDayWithoutLeap, kDay };
  Kind kind = Kind::kWeekday;
  int month = 0;       // kWeekday: 1..12
  int week = 0;        // kWeekday: 1..5, 5 = the last
  int day = 0;         // kWeekday: 0..6; kDayWithoutLeap: 1..365, never 29 February; kDay: 0..365
  int time_s = 7'200;  // of the local clock before the change; -167..167 hours

  // Seconds from 1970-01-01 00:00 of the local clock.
  int64_t local_s(int64_t year) const;
};

class PosixZone {
 public:
  // Nothing when it is not such a rule.
  static std::optional<PosixZone> parse(std::string_view text);

  ZoneSpan span_at(int64_t unix_s) const;

 private:
  int32_t standard_s_ = 0;
  int32_t summer_s_ = 0;
  bool has_summer_ = false;
  YearlyChange to_summer_;
  YearlyChange to_standard_;
};

}  // namespace pqd
