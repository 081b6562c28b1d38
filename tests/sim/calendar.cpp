#include "tests/sim/calendar.h"

#include <chrono>
#include <sstream>

namespace pqd::sim {
namespace {

constexpr int64_t kLookedAt_s = INT64_C(2) * 366 * 86'400;

// A list of values, ranges and *, each range with a step if it likes; false: it is none.
bool read_field(const std::string& text, int first, int last, std::set<int>& values) {
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    int from = first, to = last, step = 1;
    char dash = 0;
    std::string range = item;
    if (const size_t slash = item.find('/'); slash != std::string::npos) {
      range = item.substr(0, slash);
      step = std::stoi(item.substr(slash + 1));
    }
    if (range != "*") {
      std::istringstream in(range);
      in >> from;
      to = from;
      if (in >> dash) in >> to;
    }
    if (from < first || to > last || from > to || step < 1) return false;
    for (int value = from; value <= to; value += step) values.insert(value);
  }
  return !values.empty();
}

// Did the clock show this local time before the instant?
bool shown_before(const MovedClock& clock, int64_t local_s, int64_t unix_s) {
  for (const int32_t offset : {clock.offset_s, clock.offset_s + clock.moved_s}) {
    const int64_t instant = local_s - offset;
    if (instant < unix_s && clock.offset_at(instant) == offset) return true;
  }
  return false;
}

// At this instant the clock jumps from one local time to another: is one right of those between?
bool matches_between(const Calendar& calendar, int64_t from, int64_t to, const MovedClock& clock,
                     int64_t unix_s) {
  for (int64_t local = from; local < to; local += 60)
    if (calendar.matches(local) && !shown_before(clock, local, unix_s)) return true;
  return false;
}

bool runs_at(const Calendar& calendar, const MovedClock& clock, int64_t unix_s) {
  const int64_t local = unix_s + clock.offset_at(unix_s);
  if (calendar.every_hour) return calendar.matches(local);
  if (calendar.matches(local) && !shown_before(clock, local, unix_s)) return true;
  const int64_t expected = unix_s + clock.offset_at(unix_s - 1);
  return expected < local && matches_between(calendar, expected, local, clock, unix_s);
}

}  // namespace

std::optional<Calendar> Calendar::read(const std::string& spec) {
  Calendar calendar;
  std::string text = spec;
  if (spec == "@hourly") text = "0 * * * *";
  if (spec == "@daily") text = "0 0 * * *";
  if (spec == "@monthly") text = "0 0 1 * *";
  if (spec.starts_with("@every ")) {
    std::istringstream in(spec.substr(7));
    int64_t count = 0;
    char unit = 0;
    while (in >> count >> unit) calendar.interval_s += count * (unit == 'h' ? 3'600 : unit == 'm' ? 60 : 1);
    return calendar.interval_s == 0 ? std::nullopt : std::optional(calendar);
  }
  std::istringstream in(text);
  std::string minute, hour, day, month, weekday;
  in >> minute >> hour >> day >> month >> weekday;
  const bool good = read_field(minute, 0, 59, calendar.minutes) && read_field(hour, 0, 23, calendar.hours) &&
                    read_field(day, 1, 31, calendar.days) && read_field(month, 1, 12, calendar.months) &&
                    read_field(weekday, 0, 7, calendar.weekdays);
  if (!good) return std::nullopt;
  if (calendar.weekdays.contains(7)) calendar.weekdays.insert(0);
  calendar.every_hour = hour.front() == '*';
  calendar.any_day = day.front() == '*';
  calendar.any_weekday = weekday.front() == '*';
  return calendar;
}

bool Calendar::matches(int64_t local_s) const {
  const std::chrono::seconds since{local_s};
  const auto day_begin = std::chrono::floor<std::chrono::days>(since);
  const auto of_day = std::chrono::floor<std::chrono::minutes>(since - day_begin).count();
  if (!minutes.contains(static_cast<int>(of_day % 60)) || !hours.contains(static_cast<int>(of_day / 60)))
    return false;
  const std::chrono::sys_days date{day_begin};
  const std::chrono::year_month_day ymd{date};
  if (!months.contains(static_cast<int>(static_cast<unsigned>(ymd.month())))) return false;
  const bool day = days.contains(static_cast<int>(static_cast<unsigned>(ymd.day())));
  const bool weekday = weekdays.contains(static_cast<int>(std::chrono::weekday{date}.c_encoding()));
  return any_day || any_weekday ? day && weekday : day || weekday;
}

std::optional<TimeNs> next_run(const Calendar& calendar, const MovedClock& clock, TimeNs after,
                               TimeNs anchor) {
  if (calendar.interval_s != 0) {
    const TimeNs interval = calendar.interval_s * kSecondNs;
    TimeNs next = (anchor + kSecondNs - 1) / kSecondNs * kSecondNs + interval;
    if (next <= after) next += (after - next) / interval * interval;
    return next <= after ? next + interval : next;
  }
  const int64_t after_s = after / kSecondNs;
  for (int64_t at = (after_s / 60 + 1) * 60; at < after_s + kLookedAt_s; at += 60)
    if (runs_at(calendar, clock, at)) return at * kSecondNs;
  return std::nullopt;
}

}  // namespace pqd::sim
