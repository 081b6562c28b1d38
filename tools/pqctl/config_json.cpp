#include "tools/pqctl/config_json.h"

#include <boost/json/array.hpp>

#include "daemon/config/amount_text.h"
#include "daemon/config/config_key.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

json::value value_json(const KeyRules& rules, const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* text = std::get_if<std::string>(&value)) return json::value(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value))
    return json::array(list->begin(), list->end());
  const uint64_t number = std::get<uint64_t>(value);
  if (rules.form == ValueForm::kDuration) return json::value(duration_text_ms(number));
  return number;
}

template <class Table>
json::object table_json(std::span<const ConfigKey<Table>> keys, const Table& table) {
  json::object object;
  for (const auto& key : keys) object[key.rules.name] = value_json(key.rules, key.get(table));
  return object;
}

template <class Numbers>
json::object numbers_json(const Numbers& numbers) {
  json::object object;
  for (const auto& [name, number] : numbers) object[name] = number;
  return object;
}

json::object queue_table_json(const QueueSettings& settings, const QueueWeights& weights) {
  json::object object = table_json(queue_keys(), settings);
  if (!weights.users.empty()) object[kUserWeights] = numbers_json(weights.users);
  if (!weights.keys.empty()) object[kKeyWeights] = numbers_json(weights.keys);
  return object;
}

json::object access_json(const std::map<std::string, AccessTable>& tables) {
  json::object object;
  for (const auto& [name, roles] : tables) object[name] = table_json(access_keys(), roles);
  return object;
}

}  // namespace

json::object config_json(const Config& config) {
  json::object queues = table_json(queues_keys(), config.queues);
  queues["defaults"] = table_json(queue_keys(), config.queues.defaults);
  json::object named;
  for (const auto& [name, settings] : config.queues.named) {
    const auto weights = config.queues.weights.find(name);
    named[name] =
        queue_table_json(settings, weights == config.queues.weights.end() ? QueueWeights() : weights->second);
  }
  json::object limits = table_json(limits_keys(), config.limits);
  limits[kUserRates] = numbers_json(config.limits.user_rates);
  return {
      {"daemon", table_json(daemon_keys(), config.daemon)},
      {"engine", table_json(engine_keys(), config.engine)},
      {"queues", std::move(queues)},
      {"queue", std::move(named)},
      {"limits", std::move(limits)},
      {"access", {{"user", access_json(config.access.users)}, {"group", access_json(config.access.groups)}}},
      {"store", table_json(store_keys(), config.store)}};
}

}  // namespace pqd::ctl
