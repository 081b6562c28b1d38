// The keys of the rows of figures: resolution (1), beginning (8), queue (4), type (4), big-endian, so that a
// span of time is one stretch of rows. Private to daemon/store.
#pragma once

#include <array>
#include <optional>

#include "core/metrics_row.h"
#include "daemon/store/keys.h"

namespace pqd {

using MetricsKeyBytes = std::array<std::byte, 17>;

inline MetricsKeyBytes write_metrics_key(const MetricsKey& key) {
  MetricsKeyBytes bytes;
  bytes[0] = static_cast<std::byte>(key.resolution);
  keys::put_big(static_cast<uint64_t>(key.start_ns), bytes.data() + 1);
  keys::put_big(uint64_t{key.queue} << 32 | key.type, bytes.data() + 9);
  return bytes;
}

inline std::optional<MetricsKey> read_metrics_key(ByteView bytes) {
  if (bytes.size() != sizeof(MetricsKeyBytes)) return std::nullopt;
  const auto resolution = static_cast<MetricsResolution>(bytes[0]);
  if (resolution != MetricsResolution::kMinute && resolution != MetricsResolution::kHour) return std::nullopt;
  const uint64_t line = keys::get_big(bytes.data() + 9);
  return MetricsKey{resolution, static_cast<TimeNs>(keys::get_big(bytes.data() + 1)),
                    static_cast<QueueNo>(line >> 32), static_cast<TypeNo>(line)};
}

}  // namespace pqd
