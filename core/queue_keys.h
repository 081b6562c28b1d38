// The settings of a queue one by one: their names as in the configuration, their ranges, and the bit that
// stands for each in events and records. A stored format: append, never change the order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/queue_settings.h"

namespace pqd {

struct QueueKey {
  std::string_view name;
  std::variant<uint32_t QueueSettings::*, uint64_t QueueSettings::*, Fairness QueueSettings::*> member;
  uint64_t least = 0;
  uint64_t most = 0;
};

using QueueKeys = uint32_t;  // bit n = the n-th setting

std::span<const QueueKey> all_queue_keys();
// Nothing: there is no setting of this name.
std::optional<QueueKeys> queue_key_bit(std::string_view name);
// Copies the settings in `keys`.
void copy_settings(QueueSettings& to, const QueueSettings& from, QueueKeys keys);
// Each of the settings in `keys` is in its range, and there is no other bit.
bool settings_in_range(const QueueSettings& settings, QueueKeys keys);

}  // namespace pqd
