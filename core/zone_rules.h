// What core has to know of time zones. The rules themselves come from outside: an implementation that reads
// the system's files is in daemon/zone, tests have zones of their own.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

namespace pqd {

// A stretch of time over which a zone's clocks stand at one distance from UTC.
struct ZoneSpan {
  int64_t begin_s = std::numeric_limits<int64_t>::min();  // Unix seconds, included
  int64_t end_s = std::numeric_limits<int64_t>::max();    // excluded
  int32_t offset_s = 0;                                   // local time = UTC + offset
};

class ZoneRules {
 public:
  virtual ~ZoneRules() = default;
  // The stretch that `unix_s` lies in. Two that follow each other may have the same offset.
  virtual ZoneSpan span_at(int64_t unix_s) const = 0;
};

class UtcRules final : public ZoneRules {
 public:
  ZoneSpan span_at(int64_t /*unix_s*/) const override { return {}; }
};

class ZoneSource {
 public:
  virtual ~ZoneSource() = default;
  // nullptr: no zone of this name (IANA names, "UTC" is always there).
  virtual std::shared_ptr<const ZoneRules> find(std::string_view name) = 0;
};

}  // namespace pqd
