#include "core/queue_keys.h"

#include <iterator>

#include "core/limits.h"

namespace pqd {
namespace {

using Settings = QueueSettings;
constexpr std::span<const QueueKey> kKeys = kQueueKeys;

uint64_t value_of(const QueueKey& key, const Settings& settings) {
  return std::visit([&](auto member) { return static_cast<uint64_t>(settings.*member); }, key.member);
}

}  // namespace

std::optional<QueueKeys> queue_key_bit(std::string_view name) {
  for (size_t i = 0; i < kKeys.size(); ++i)
    if (kKeys[i].name == name) return QueueKeys{1} << i;
  return std::nullopt;
}

void copy_settings(Settings& to, const Settings& from, QueueKeys keys) {
  for (size_t i = 0; i < kKeys.size(); ++i) {
    if ((keys >> i & 1) != 0) std::visit([&](auto member) { to.*member = from.*member; }, kKeys[i].member);
  }
}

bool settings_in_range(const Settings& settings, QueueKeys keys) {
  if (uint64_t{keys} >> kKeys.size() != 0) return false;
  for (size_t i = 0; i < kKeys.size(); ++i) {
    const uint64_t value = value_of(kKeys[i], settings);
    if ((keys >> i & 1) != 0 && (value < kKeys[i].least || value > kKeys[i].most)) return false;
  }
  return true;
}

}  // namespace pqd
