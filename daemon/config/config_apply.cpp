// From the document to values: strict about keys, complete about faults.
#include <algorithm>
#include <optional>

#include "core/job.h"
#include "core/limits.h"
#include "daemon/config/amount_text.h"
#include "daemon/config/config_document.h"
#include "daemon/config/config_text.h"
#include "daemon/config/suggest.h"

namespace pqd {
namespace {

// Where a key that is in the wrong table belongs; "" when it is in none.
std::string home_of(std::string_view key) {
  if (find_key(daemon_keys(), key) != nullptr) return "[daemon]";
  if (find_key(engine_keys(), key) != nullptr) return "[engine]";
  if (find_key(queues_keys(), key) != nullptr) return "[queues]";
  if (find_key(queue_keys(), key) != nullptr) return "[queues.defaults] or [queue.NAME]";
  if (find_key(limits_keys(), key) != nullptr) return "[limits]";
  if (find_key(access_keys(), key) != nullptr) return "[access.user.NAME] or [access.group.NAME]";
  return find_key(store_keys(), key) != nullptr ? "[store]" : "";
}

template <class Table>
std::string unknown_key(const ConfigSetting& setting, std::span<const ConfigKey<Table>> keys) {
  const std::string what =
      "there is no setting " + key_text(setting.key) + " in " + table_text(setting.table);
  if (const std::string home = home_of(setting.key); !home.empty()) return what + ": it belongs in " + home;
  std::vector<std::string_view> names;
  for (const auto& key : keys) names.push_back(key.rules.name);
  return what + suggest(setting.key, names);
}

class Applier {
 public:
  Applier(const ConfigDocument& document, ConfigFaultList& faults) : document_(document), faults_(faults) {}

  template <class Table>
  void table(const ConfigTable& where, std::span<const ConfigKey<Table>> keys, Table& out) {
    for (const ConfigSetting& setting : document_.settings) {
      if (setting.table != where) continue;
      const auto* key = find_key(keys, setting.key);
      if (key == nullptr) {
        faults_.add(setting.key_place, unknown_key(setting, keys));
        continue;
      }
      if (const auto value = read_value(key->rules, setting.value))
        key->set(out, *value);
      else
        faults_.add(setting.value_place, value.error());
    }
  }

  void queue(const ConfigTable& where, QueueSettings& out) {
    table(where, queue_keys(), out);
    if (out.backoff_first_ms <= out.backoff_cap_ms) return;
    if (const auto place = last_place(where, {"backoff", "backoff_cap"}))
      faults_.add(*place, "backoff (" + duration_text_ms(out.backoff_first_ms) +
                              ") is longer than backoff_cap (" + duration_text_ms(out.backoff_cap_ms) +
                              "): raise backoff_cap as well");
  }

  void weights(const ConfigTable& where, FairWeights& out) {
    const KeyRules rules{
        .name = "weight", .form = ValueForm::kNumber, .least = 1, .most = limits::kFairWeightMax};
    named_numbers(where, rules, where.inside == kUserWeights ? user_fault : key_fault, out);
  }

  void user_rates(std::map<std::string, uint32_t>& out) {
    KeyRules rules = find_key(limits_keys(), "rate_limit")->rules;
    named_numbers({"limits", {}, std::string(kUserRates)}, rules, user_fault, out);
  }

  void access(AccessConfig& config) {
    std::map<std::pair<bool, uint32_t>, std::string> known;
    for (const auto& [where, place] : document_.access) {
      const bool group = where.name == kAccessGroup;
      AccessTable& roles = (group ? config.groups : config.users)[where.of];
      table(where, access_keys(), roles);
      if (roles.producer.empty() && roles.consumer.empty() && !roles.operates && !roles.admin)
        faults_.add(place, table_text(where) + " gives no role: producer, consumer, operator or admin");
      if (!group && where.of == "*") continue;
      const auto number = group ? gid_of_group(where.of) : uid_of_user(where.of);
      if (!number) {
        faults_.add(place, std::string("there is no ") + (group ? "group " : "user ") + quoted(where.of) +
                               " on this machine");
        continue;
      }
      const auto [same, fresh] = known.try_emplace({group, *number}, table_text(where));
      if (!fresh) faults_.add(place, table_text(where) + " is about the same one as " + same->second);
    }
    if (config.groups.size() > limits::kAccessGroupsMax)
      faults_.add(document_.access.back().second,
                  "roles are given to " + std::to_string(config.groups.size()) + " groups, and " +
                      std::to_string(limits::kAccessGroupsMax) + " at most may have some");
  }

  void named_queues(QueuesConfig& config) {
    const auto is_default = [](const auto& queue) { return queue.first == "default"; };
    const size_t most = limits::kQueuesMax - (std::ranges::any_of(document_.queues, is_default) ? 0 : 1);
    if (document_.queues.size() > most)
      return faults_.add(document_.queues.back().second,
                         "there are " + std::to_string(document_.queues.size()) +
                             " queues, and the daemon takes " + std::to_string(most) + " at most");
    for (const auto& [name, place] : document_.queues) {
      if (!valid_name(name)) {
        faults_.add(place, quoted(name) + " is no name for a queue: 1 to " +
                               std::to_string(limits::kNameBytesMax) + " of A-Z a-z 0-9 . _ : -");
        continue;
      }
      queue({"queue", name}, config.named.try_emplace(name, config.defaults).first->second);
      QueueWeights said;
      weights({"queue", name, std::string(kUserWeights)}, said.users);
      weights({"queue", name, std::string(kKeyWeights)}, said.keys);
      if (said != QueueWeights{}) config.weights[name] = std::move(said);
    }
  }

 private:
  // The table's names are the configuration's own; `name_fault` says what is wrong with one, "" = nothing.
  template <class Numbers>
  void named_numbers(const ConfigTable& where, const KeyRules& rules,
                     std::string (*name_fault)(const std::string&), Numbers& out) {
    for (const ConfigSetting& setting : document_.settings) {
      if (setting.table != where) continue;
      const std::string fault = name_fault(setting.key);
      const auto value = read_value(rules, setting.value);
      if (!fault.empty())
        faults_.add(setting.key_place, fault);
      else if (!value)
        faults_.add(setting.value_place, value.error());
      else
        out[setting.key] = static_cast<uint32_t>(std::get<uint64_t>(*value));
    }
  }

  // "" = it is good: USER or USER/SUBJECT.
  static std::string user_fault(const std::string& key) {
    const size_t slash = key.find('/');
    const std::string user = key.substr(0, slash);
    if (!uid_of_user(user)) return "there is no user " + quoted(user) + " on this machine";
    const size_t subject_bytes = slash == std::string::npos ? 1 : key.size() - slash - 1;
    if (subject_bytes >= 1 && subject_bytes <= limits::kSubjectBytesMax) return {};
    return quoted(key) + " names no end user: after the / come 1 to " +
           std::to_string(limits::kSubjectBytesMax) + " bytes";
  }
  static std::string key_fault(const std::string& key) {
    if (key.size() <= limits::kKeyBytesMax) return {};
    return quoted(key) + " is no ordering key: it is over " + std::to_string(limits::kKeyBytesMax) + " bytes";
  }
  // Nothing: this table says neither, what it inherits is complained of where it stands.
  std::optional<ConfigPlace> last_place(const ConfigTable& where,
                                        std::initializer_list<std::string_view> keys) const {
    std::optional<ConfigPlace> place;
    for (const ConfigSetting& setting : document_.settings)
      if (setting.table == where && std::ranges::find(keys, setting.key) != keys.end())
        place = setting.value_place;
    return place;
  }

  const ConfigDocument& document_;
  ConfigFaultList& faults_;
};

}  // namespace

Config apply_config(const ConfigDocument& document, ConfigFaultList& faults) {
  Config config;
  Applier applier(document, faults);
  applier.table({"daemon", {}}, daemon_keys(), config.daemon);
  applier.table({"engine", {}}, engine_keys(), config.engine);
  applier.table({"queues", {}}, queues_keys(), config.queues);
  applier.queue({"queues.defaults", {}}, config.queues.defaults);
  applier.named_queues(config.queues);
  applier.table({"limits", {}}, limits_keys(), config.limits);
  applier.user_rates(config.limits.user_rates);
  applier.access(config.access);
  applier.table({"store", {}}, store_keys(), config.store);
  return config;
}

}  // namespace pqd
