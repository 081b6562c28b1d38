#include "core/queue_keys.h"

#include <iterator>

#include "core/limits.h"

namespace pqd {
namespace {

using Settings = QueueSettings;

// 49 days: in 32 bits of milliseconds the largest value stands for "not said" in a submit.
constexpr uint64_t kDurationMsMax = 49ull * 86'400 * 1'000;
constexpr uint64_t kDepthMax = 100'000'000;

constexpr QueueKey kKeys[] = {
    {"max_depth", &Settings::max_depth, 1, kDepthMax},
    {"max_bytes", &Settings::max_bytes, 1, 1ull << 50},
    {"admission_timeout", &Settings::admission_timeout_ms, 0, kDurationMsMax},
    {"queue_timeout", &Settings::queue_timeout_ms, 0, kDurationMsMax},
    {"processing_timeout", &Settings::processing_timeout_ms, 1, kDurationMsMax},
    {"max_active", &Settings::max_active, 0, kDepthMax},
    {"max_attempts", &Settings::max_attempts, 1, UINT16_MAX},
    {"backoff", &Settings::backoff_first_ms, 0, kDurationMsMax},
    {"backoff_cap", &Settings::backoff_cap_ms, 0, kDurationMsMax},
    {"starvation_guard", &Settings::starvation_guard, 0, 1'000'000},
    {"batch_size", &Settings::batch_size, 1, limits::kBatchSizeMax},
    {"batch_interval", &Settings::batch_interval_ms, 1, kDurationMsMax},
    {"fair", &Settings::fair, 0, static_cast<uint64_t>(Fairness::kKey)},
};
static_assert(std::size(kKeys) <= 32);

uint64_t value_of(const QueueKey& key, const Settings& settings) {
  return std::visit([&](auto member) { return static_cast<uint64_t>(settings.*member); }, key.member);
}

}  // namespace

std::span<const QueueKey> all_queue_keys() { return kKeys; }

std::optional<QueueKeys> queue_key_bit(std::string_view name) {
  for (size_t i = 0; i < std::size(kKeys); ++i)
    if (kKeys[i].name == name) return QueueKeys{1} << i;
  return std::nullopt;
}

void copy_settings(Settings& to, const Settings& from, QueueKeys keys) {
  for (size_t i = 0; i < std::size(kKeys); ++i) {
    if ((keys >> i & 1) != 0) std::visit([&](auto member) { to.*member = from.*member; }, kKeys[i].member);
  }
}

bool settings_in_range(const Settings& settings, QueueKeys keys) {
  if (uint64_t{keys} >> std::size(kKeys) != 0) return false;
  for (size_t i = 0; i < std::size(kKeys); ++i) {
    const uint64_t value = value_of(kKeys[i], settings);
    if ((keys >> i & 1) != 0 && (value < kKeys[i].least || value > kKeys[i].most)) return false;
  }
  return true;
}

}  // namespace pqd
