#include "tools/pqctl/config_json.h"

#include "daemon/config/amount_text.h"
#include "daemon/config/config_key.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

json::value value_json(const KeyRules& rules, const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* text = std::get_if<std::string>(&value)) return json::value(*text);
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

}  // namespace

json::object config_json(const Config& config) {
  json::object queues = table_json(queues_keys(), config.queues);
  queues["defaults"] = table_json(queue_keys(), config.queues.defaults);
  json::object named;
  for (const auto& [name, settings] : config.queues.named) named[name] = table_json(queue_keys(), settings);
  return {{"daemon", table_json(daemon_keys(), config.daemon)},
          {"engine", table_json(engine_keys(), config.engine)},
          {"queues", std::move(queues)},
          {"queue", std::move(named)},
          {"limits", table_json(limits_keys(), config.limits)},
          {"store", table_json(store_keys(), config.store)}};
}

}  // namespace pqd::ctl
