// Settings of queues at run time, by their names.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

struct Wanted {
  QueueSettings settings;
  QueueKeys keys = 0;
};

Result<void> take(const pqd_queue_setting& setting, Wanted& wanted) {
  const std::string name(view_of(setting.name));
  const auto bit = queue_key_bit(name);
  if (!bit) return misused("there is no setting \"" + name + "\"");
  for (const QueueKey& key : kQueueKeys) {
    if (key.name != name) continue;
    if (setting.value < key.least || setting.value > key.most) {
      return misused(name + " is " + std::to_string(key.least) + " to " + std::to_string(key.most) +
                     ", not " + std::to_string(setting.value));
    }
    std::visit(
        [&](auto member) {
          auto& held = wanted.settings.*member;
          held = static_cast<std::remove_reference_t<decltype(held)>>(setting.value);
        },
        key.member);
  }
  wanted.keys |= *bit;
  return {};
}

}  // namespace

extern "C" {

pqd_status pqd_queue_set(pqd_client* client, const char* queue, const pqd_queue_setting* settings,
                         size_t count) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (settings == nullptr || count == 0) return misused("there is nothing to set");
    Wanted wanted;
    for (size_t i = 0; i < count; ++i) {
      if (auto taken = take(settings[i], wanted); !taken) return taken;
    }
    return c.queue_configure(view_of(queue), wanted.settings, wanted.keys);
  });
}

pqd_status pqd_queue_reset(pqd_client* client, const char* queue) {
  return guarded(client, [&](Client& c) -> Result<void> { return c.queue_reset(view_of(queue)); });
}

}  // extern "C"
