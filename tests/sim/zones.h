// Time zones of simulated worlds, whose clocks are moved every few hours or days, so that every world meets
// the changes that real ones have twice a year. Any thread.
#pragma once

#include <array>
#include <string>

#include "core/civil.h"
#include "core/zone_rules.h"

namespace pqd::sim {

struct MovedClock {
  std::string_view name;
  int32_t offset_s;
  int32_t moved_s;  // on top of it in every second stretch
  int64_t stretch_s;

  int32_t offset_at(int64_t unix_s) const {
    return offset_s + (floor_div(unix_s, stretch_s) % 2 != 0 ? moved_s : 0);
  }
};

inline constexpr std::array kMovedClocks = {
    MovedClock{"UTC", 0, 0, 86'400},
    MovedClock{"Sim/Summer", -18'000, 3'600, 18 * 3'600},  // an hour, twice in 36
    MovedClock{"Sim/Half", 19'800, 1'800, 5 * 3'600},      // half of one, and no whole hours before
    MovedClock{"Sim/Line", 39'600, -86'400, 5 * 86'400},   // over the date line and back
};

inline const MovedClock* find_clock(std::string_view name) {
  for (const MovedClock& clock : kMovedClocks)
    if (clock.name == name) return &clock;
  return nullptr;
}

class SimZones final : public ZoneSource {
 public:
  std::string lost;  // a zone that is gone for a while

  std::shared_ptr<const ZoneRules> find(std::string_view name) override {
    const MovedClock* clock = name == lost ? nullptr : find_clock(name);
    return clock == nullptr ? nullptr : std::make_shared<const Rules>(*clock);
  }

 private:
  class Rules final : public ZoneRules {
   public:
    explicit Rules(const MovedClock& clock) : clock_(clock) {}
    ZoneSpan span_at(int64_t unix_s) const override {
      const int64_t begin_s = floor_div(unix_s, clock_.stretch_s) * clock_.stretch_s;
      return {begin_s, begin_s + clock_.stretch_s, clock_.offset_at(unix_s)};
    }

   private:
    MovedClock clock_;
  };
};

}  // namespace pqd::sim
