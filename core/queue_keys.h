// The settings of a queue one by one: their names as in the configuration, their ranges, and the bit that
// stands for each in events and records. A stored format: append, never change the order.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/limits.h"
#include "core/queue_settings.h"

namespace pqd {

struct QueueKey {
  std::string_view name;
  std::variant<uint32_t QueueSettings::*, uint64_t QueueSettings::*, Fairness QueueSettings::*> member;
  uint64_t least = 0;
  uint64_t most = 0;
};

using QueueKeys = uint32_t;  // bit n = the n-th setting

// 49 days: in 32 bits of milliseconds the largest value stands for "not said" in a submit.
inline constexpr uint64_t kSettingMsMax = 49ull * 86'400 * 1'000;
inline constexpr uint64_t kDepthMax = 100'000'000;

inline constexpr QueueKey kQueueKeys[] = {
    {"max_depth", &QueueSettings::max_depth, 1, kDepthMax},
    {"max_bytes", &QueueSettings::max_bytes, 1, 1ull << 50},
    {"admission_timeout", &QueueSettings::admission_timeout_ms, 0, kSettingMsMax},
    {"queue_timeout", &QueueSettings::queue_timeout_ms, 0, kSettingMsMax},
    {"processing_timeout", &QueueSettings::processing_timeout_ms, 1, kSettingMsMax},
    {"max_active", &QueueSettings::max_active, 0, kDepthMax},
    {"max_attempts", &QueueSettings::max_attempts, 1, UINT16_MAX},
    {"backoff", &QueueSettings::backoff_first_ms, 0, kSettingMsMax},
    {"backoff_cap", &QueueSettings::backoff_cap_ms, 0, kSettingMsMax},
    {"starvation_guard", &QueueSettings::starvation_guard, 0, 1'000'000},
    {"batch_size", &QueueSettings::batch_size, 1, limits::kBatchSizeMax},
    {"batch_interval", &QueueSettings::batch_interval_ms, 1, kSettingMsMax},
    {"fair", &QueueSettings::fair, 0, static_cast<uint64_t>(Fairness::kKey)},
};
static_assert(std::size(kQueueKeys) <= 32);

// Nothing: there is no setting of this name.
std::optional<QueueKeys> queue_key_bit(std::string_view name);
// Copies the settings in `keys`.
void copy_settings(QueueSettings& to, const QueueSettings& from, QueueKeys keys);
// Each of the settings in `keys` is in its range, and there is no other bit.
bool settings_in_range(const QueueSettings& settings, QueueKeys keys);

}  // namespace pqd
