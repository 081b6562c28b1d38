// pqctl queue set Q key=value... | --reset
#include "daemon/config/config_value.h"
#include "daemon/config/suggest.h"
#include "tools/pqctl/queue_name.h"

namespace pqd::ctl {
namespace {

struct Wanted {
  QueueSettings settings;
  QueueKeys keys = 0;
};

Checked<void> take(std::string_view word, Wanted& wanted) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  if (equals == std::string_view::npos) {
    return complain(kExitUsage, "\"" + std::string(word) + "\" is not key=value, such as max_active=20");
  }
  const auto* key = find_key(queue_keys(), name);
  const auto bit = queue_key_bit(name);
  if (key == nullptr || !bit) {
    std::vector<std::string_view> names;
    for (const auto& each : queue_keys()) names.push_back(each.rules.name);
    return complain(kExitUsage, "there is no setting \"" + std::string(name) + "\"" + suggest(name, names) +
                                    "; `pqctl queue show` names those of a queue");
  }
  const RawValue raw{std::string(word.substr(equals + 1)), true};
  const auto value = read_value(key->rules, raw);
  if (!value) return complain(Error::kInvalidRequest, value.error());
  key->set(wanted.settings, *value);
  wanted.keys |= *bit;
  return {};
}

}  // namespace

int run_queue_set(Context& context, const QueueSetOptions& options) {
  if (options.reset == !options.words.empty()) {
    return context.fail({kExitUsage, "set takes key=value..., or --reset for what the configuration says"});
  }
  if (const auto named = check_queue_name(options.queue); !named) return context.fail(named.error());
  Wanted wanted;
  for (const std::string& word : options.words) {
    if (const auto taken = take(word, wanted); !taken) return context.fail(taken.error());
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto done = options.reset ? client->queue_reset(options.queue)
                                  : client->queue_configure(options.queue, wanted.settings, wanted.keys);
  return done ? kExitOk : context.fail(queue_complaint(*client, options.queue, done.error()));
}

}  // namespace pqd::ctl
