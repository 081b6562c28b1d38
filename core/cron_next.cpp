#include "core/cron_next.h"

#include <algorithm>
#include <bit>

#include "core/civil.h"
#include "core/limits.h"

namespace pqd {
namespace {

constexpr int64_t kDay_s = 86'400;
constexpr int64_t kEnd_s = limits::kUnixMsMax / 1'000;
// How far back local times may have been shown before: no change of clocks was ever longer than a day.
constexpr int64_t kLookBack_s = 3 * kDay_s;

bool matches_day(const CronSpec& spec, int64_t days, const CivilDate& date) {
  const bool day = ((spec.days >> date.day) & 1) != 0;
  const bool weekday = ((spec.weekdays >> weekday_of(days)) & 1) != 0;
  return spec.any_day || spec.any_weekday ? day && weekday : day || weekday;
}

// The first minute of the day that matches, at or after `from` (0..1439); -1 = none.
int64_t next_minute(const CronSpec& spec, int64_t from) {
  for (int64_t hour = from / 60; hour < 24; ++hour) {
    if (((spec.hours >> hour) & 1) == 0) continue;
    const uint64_t left = hour * 60 >= from ? spec.minutes : spec.minutes >> (from % 60) << (from % 60);
    if (left != 0) return hour * 60 + std::countr_zero(left);
  }
  return -1;
}

// The first local time that matches in [from, before), in seconds of the local clock.
std::optional<int64_t> next_local(const CronSpec& spec, int64_t from, int64_t before) {
  int64_t days = floor_div(from + 59, kDay_s);
  int64_t minute = floor_div(from + 59 - days * kDay_s, 60);
  while (days * kDay_s < before) {
    const CivilDate date = civil_of(days);
    if (((spec.months >> date.month) & 1) == 0) {
      days += days_in_month(date.year, date.month) - date.day + 1;
      minute = 0;
      continue;
    }
    const int64_t found = matches_day(spec, days, date) ? next_minute(spec, minute) : -1;
    if (found >= 0) {
      const int64_t local = days * kDay_s + found * 60;
      return local < before ? std::optional(local) : std::nullopt;
    }
    ++days;
    minute = 0;
  }
  return std::nullopt;
}

// The run within this stretch. `shown`: the zone's clocks have shown all local times before this one.
std::optional<int64_t> next_within(const CronSpec& spec, const ZoneSpan& span, int64_t after, int64_t shown) {
  const int64_t begin = std::max(span.begin_s, after + 1);
  const int64_t end = std::min(span.end_s, kEnd_s);
  int64_t from = begin + span.offset_s;
  if (!spec.every_hour) {
    const bool jumped = span.begin_s > after && shown < span.begin_s + span.offset_s;
    if (jumped && next_local(spec, shown, span.begin_s + span.offset_s)) return span.begin_s;
    from = std::max(from, shown);
  }
  const auto local = next_local(spec, from, end + span.offset_s);
  if (!local) return std::nullopt;
  return *local - span.offset_s;
}

std::optional<int64_t> next_by_clock(const CronSpec& spec, const ZoneRules& zone, int64_t after) {
  ZoneSpan span = zone.span_at(after - kLookBack_s);
  int64_t shown = after - kLookBack_s + span.offset_s;
  for (;;) {
    if (span.end_s > after + 1) {
      if (const auto found = next_within(spec, span, after, shown)) return found;
    }
    if (span.end_s >= kEnd_s) return std::nullopt;
    shown = std::max(shown, span.end_s + span.offset_s);
    span = zone.span_at(span.end_s);
  }
}

}  // namespace

std::optional<TimeNs> next_after(const CronSpec& spec, const ZoneRules& zone, TimeNs after_ns,
                                 TimeNs anchor_ns) {
  const int64_t after = floor_div(after_ns, kSecondNs);
  if (after >= kEnd_s) return std::nullopt;
  if (spec.interval_s == 0) {
    const auto next = next_by_clock(spec, zone, after);
    if (!next) return std::nullopt;
    return *next * kSecondNs;
  }
  const int64_t anchor = floor_div(anchor_ns + kSecondNs - 1, kSecondNs);
  const int64_t passed = std::max<int64_t>(floor_div(after - anchor, spec.interval_s), 0);
  const int64_t next = anchor + (passed + 1) * spec.interval_s;
  if (next > kEnd_s) return std::nullopt;
  return next * kSecondNs;
}

}  // namespace pqd
