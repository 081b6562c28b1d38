// A time zone for tests: an offset, and the changes that it goes through. And a source that has it under a
// name.
#pragma once

#include <string>
#include <vector>

#include "core/zone_rules.h"

namespace pqd::test {

class MadeZone final : public ZoneRules {
 public:
  struct Change {
    int64_t at_s;
    int32_t offset_s;
  };
  // REQUIRES: `changes` in the order of time.
  MadeZone(int32_t offset_s, std::vector<Change> changes)
      : offset_s_(offset_s), changes_(std::move(changes)) {}

  ZoneSpan span_at(int64_t unix_s) const override {
    ZoneSpan span{.offset_s = offset_s_};
    for (const Change& change : changes_) {
      if (change.at_s > unix_s) {
        span.end_s = change.at_s;
        break;
      }
      span.begin_s = change.at_s;
      span.offset_s = change.offset_s;
    }
    return span;
  }

 private:
  int32_t offset_s_;
  std::vector<Change> changes_;
};

// "UTC" and one more; `there` = false takes that one away.
class MadeZones final : public ZoneSource {
 public:
  MadeZones(std::string name, MadeZone zone)
      : name_(std::move(name)), zone_(std::make_shared<const MadeZone>(std::move(zone))) {}

  std::shared_ptr<const ZoneRules> find(std::string_view name) override {
    if (name == "UTC") return std::make_shared<const UtcRules>();
    return there && name == name_ ? zone_ : nullptr;
  }
  bool there = true;

 private:
  std::string name_;
  std::shared_ptr<const MadeZone> zone_;
};

}  // namespace pqd::test
