// When a schedule runs, as people write it: five cron fields, a name for some of them, or an interval.
//
//   minute 0-59 | hour 0-23 | day of month 1-31 | month 1-12, jan-dec | day of week 0-7, sun-sat (0, 7:
//   Sunday)
//
// A field is a list, separated by commas, of values, ranges a-b, and *; a range or * may have a step /n. When
// day of month and day of week are both restricted, which means that they do not begin with *, a day matches
// that matches either. @hourly @daily @midnight @weekly @monthly @yearly @annually stand for five fields;
// @every 90s, @every 1h30m (d, h, m, s) is an interval. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace pqd {

struct CronSpec {
  uint64_t minutes = 0;  // a bit for each value, as in the other fields
  uint32_t hours = 0;
  uint32_t days = 0;         // bits 1..31
  uint16_t months = 0;       // bits 1..12
  uint8_t weekdays = 0;      // bits 0..6, 0 = Sunday
  bool every_hour = false;   // the hour field begins with *: the schedule follows the clock as it is shown
  bool any_day = false;      // the day of month begins with *
  bool any_weekday = false;  // the day of week begins with *
  int64_t interval_s = 0;    // @every; 0 = the fields hold

  friend bool operator==(const CronSpec&, const CronSpec&) = default;
};

// The error is a sentence without a full stop that names the field and what is wrong with it. A spec that can
// never run (30 February) is refused, too.
std::expected<CronSpec, std::string> parse_cron_spec(std::string_view text);

}  // namespace pqd
