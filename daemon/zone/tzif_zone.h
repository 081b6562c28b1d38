// A time zone as the system's files have it: the format TZif, versions 2 to 4, of RFC 9636. Immutable once
// read; any thread.
#pragma once

#include <optional>
#include <vector>

#include "core/bytes.h"
#include "daemon/zone/posix_zone.h"

namespace pqd {

class TzifZone final : public ZoneRules {
 public:
  // Nothing when the bytes are not such a file, or one that counts leap seconds, which Unix time does not.
  static std::optional<TzifZone> parse(ByteView file);

  ZoneSpan span_at(int64_t unix_s) const override;

 private:
  struct Change {
    int64_t at_s;
    int32_t offset_s;
  };
  int32_t first_offset_s_ = 0;  // before all changes
  std::vector<Change> changes_;
  std::optional<PosixZone> after_;  // after the last change; nothing = it stays as it was
};

}  // namespace pqd
