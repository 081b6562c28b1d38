#include "tools/pqctl/queue_name.h"

#include "daemon/config/config_text.h"
#include "daemon/config/config_value.h"
#include "daemon/config/suggest.h"

namespace pqd::ctl {

Checked<void> check_queue_name(std::string_view queue) {
  if (valid_name(queue)) return {};
  return complain(Error::kInvalidRequest, "a queue's name is 1 to 64 of A-Z a-z 0-9 . _ : -");
}

Complaint queue_complaint(Client& client, std::string_view queue, const Failure& failure) {
  if (failure.error != Error::kNotFound) return complaint_of(failure);
  std::vector<std::string_view> names;
  const auto queues = client.queues();
  if (queues) {
    for (const QueueInfo& each : *queues) names.push_back(each.name);
  }
  return complaint_of(Error::kNotFound,
                      "there is no queue " + std::string(queue) + suggest(queue, names) +
                          "; `pqctl queue ls` lists them. The first job, consumer or schedule "
                          "of a queue makes it unless [queues] strict = true; or add " +
                          table_text("queue", queue) + " to the configuration and restart pqd");
}

std::string overridden_text(const QueueInfo& queue) {
  std::string text;
  for (const auto& key : queue_keys()) {
    const auto bit = queue_key_bit(key.rules.name);
    if (!bit || (queue.overridden & *bit) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(key.rules.name) + " = " +
            value_text(key.rules, key.get(queue.settings));
  }
  return text;
}

}  // namespace pqd::ctl
