// The configuration as canonical TOML: fixed order, every key.
#include "daemon/config/config_document.h"
#include "daemon/config/config_key.h"
#include "daemon/config/config_text.h"
#include "daemon/config/config_value.h"

namespace pqd {
namespace {

template <class Table>
std::string rendered(const std::string& header, std::span<const ConfigKey<Table>> keys, const Table& table) {
  std::string text = header + "\n";
  for (const auto& key : keys)
    text += std::string(key.rules.name) + " = " + value_text(key.rules, key.get(table)) + "\n";
  return text;
}

template <class Numbers>
std::string rendered(const ConfigTable& table, const Numbers& numbers) {
  if (numbers.empty()) return {};
  std::string text = "\n" + table_text(table) + "\n";
  for (const auto& [name, number] : numbers) text += key_text(name) + " = " + std::to_string(number) + "\n";
  return text;
}

}  // namespace

std::string render_config(const Config& config) {
  std::string text = rendered("[daemon]", daemon_keys(), config.daemon);
  text += "\n" + rendered("[engine]", engine_keys(), config.engine);
  text += "\n" + rendered("[queues]", queues_keys(), config.queues);
  text += "\n" + rendered("[queues.defaults]", queue_keys(), config.queues.defaults);
  for (const auto& [name, settings] : config.queues.named) {
    text += "\n" + rendered(table_text("queue", name), queue_keys(), settings);
    const auto weights = config.queues.weights.find(name);
    if (weights == config.queues.weights.end()) continue;
    text += rendered(ConfigTable{"queue", name, std::string(kUserWeights)}, weights->second.users);
    text += rendered(ConfigTable{"queue", name, std::string(kKeyWeights)}, weights->second.keys);
  }
  text += "\n" + rendered("[limits]", limits_keys(), config.limits);
  text += rendered(ConfigTable{"limits", {}, std::string(kUserRates)}, config.limits.user_rates);
  for (const auto& [user, roles] : config.access.users)
    text += "\n" + rendered(table_text(kAccessUser, user), access_keys(), roles);
  for (const auto& [group, roles] : config.access.groups)
    text += "\n" + rendered(table_text(kAccessGroup, group), access_keys(), roles);
  return text + "\n" + rendered("[store]", store_keys(), config.store);
}

}  // namespace pqd
