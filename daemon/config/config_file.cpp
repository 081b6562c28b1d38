// The file's part of the document. The only user of toml++, which stays in here: it takes long to compile.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "daemon/config/config_document.h"
#include "daemon/config/config_text.h"
#include "daemon/config/suggest.h"

namespace pqd {
namespace {

ConfigPlace place_of(const toml::source_region& source) {
  return {.line = std::max<uint32_t>(source.begin.line, 1),
          .column = std::max<uint32_t>(source.begin.column, 1),
          .variable = {}};
}

RawValue raw_value(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return {*text};
  if (const auto number = node.value_exact<int64_t>()) return {*number};
  if (const auto flag = node.value_exact<bool>()) return {*flag};
  const toml::array* const list = node.as_array();
  if (list == nullptr) return {};
  std::vector<std::string> items;
  for (const toml::node& item : *list) {
    const auto text = item.value_exact<std::string>();
    if (!text) return {};
    items.push_back(*text);
  }
  return {std::move(items)};
}

class FileReader {
 public:
  FileReader(ConfigDocument& out, ConfigFaultList& faults) : out_(out), faults_(faults) {}

  void top(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const ConfigPlace place = place_of(key.source());
      if (name == "daemon" || name == "engine" || name == "store")
        read_table({name, {}}, key, node);
      else if (name == "limits")
        read_limits(key, node);
      else if (name == "queues")
        read_queues(key, node);
      else if (name == "queue")
        read_queue_tables(key, node);
      else if (name == "access")
        read_access(key, node);
      else if (node.is_table() || node.is_array_of_tables())
        faults_.add(place,
                    "there is no table " + table_text(name) +
                        suggest(name, {"daemon", "engine", "queues", "queue", "limits", "access", "store"}));
      else
        faults_.add(place,
                    key_text(name) +
                        " stands outside of every table: settings are in [daemon], [engine], [queues], "
                        "[queues.defaults], [queue.NAME], [limits], [access.user.NAME], "
                        "[access.group.NAME] and [store]");
    }
  }

 private:
  const toml::table* table_or_fault(const toml::key& key, const toml::node& node, const std::string& as) {
    if (!node.is_table()) faults_.add(place_of(key.source()), key_text(key.str()) + " is a table: " + as);
    return node.as_table();
  }
  void read_settings(const ConfigTable& where, const toml::key& key, const toml::node& node) {
    out_.settings.push_back(
        {where, std::string(key.str()), raw_value(node), place_of(key.source()), place_of(node.source())});
  }
  void read_table(const ConfigTable& where, const toml::key& key, const toml::node& node) {
    const toml::table* const table = table_or_fault(key, node, table_text(where));
    if (table == nullptr) return;
    for (const auto& [inner, value] : *table) read_settings(where, inner, value);
  }
  void read_limits(const toml::key& key, const toml::node& node) {
    const toml::table* const table = table_or_fault(key, node, "[limits]");
    if (table == nullptr) return;
    for (const auto& [inner, value] : *table) {
      if (inner.str() == kUserRates)
        read_table({"limits", {}, std::string(kUserRates)}, inner, value);
      else
        read_settings({"limits", {}}, inner, value);
    }
  }
  void read_access(const toml::key& key, const toml::node& node) {
    const toml::table* const table = table_or_fault(key, node, "[access.user.NAME], [access.group.NAME]");
    if (table == nullptr) return;
    for (const auto& [inner, value] : *table) {
      const std::string kind = "access." + std::string(inner.str());
      if (kind != kAccessUser && kind != kAccessGroup) {
        faults_.add(place_of(inner.source()),
                    "[access] has no " + key_text(inner.str()) + suggest(inner.str(), {"user", "group"}) +
                        ": roles are given in [access.user.NAME] and [access.group.NAME]");
        continue;
      }
      const toml::table* const named = table_or_fault(inner, value, table_text(kind, "NAME"));
      if (named == nullptr) continue;
      for (const auto& [name, roles] : *named) {
        const ConfigTable where{kind, std::string(name.str())};
        if (roles.is_table()) out_.access.emplace_back(where, place_of(name.source()));
        read_table(where, name, roles);
      }
    }
  }
  void read_queues(const toml::key& key, const toml::node& node) {
    const toml::table* const table = table_or_fault(key, node, "[queues]");
    if (table == nullptr) return;
    for (const auto& [inner, value] : *table) {
      if (inner.str() == "defaults")
        read_table({"queues.defaults", {}}, inner, value);
      else if (value.is_table() && inner.str() != "strict")
        misplaced_queue(inner);
      else
        read_settings({"queues", {}}, inner, value);
    }
  }
  void misplaced_queue(const toml::key& key) {
    const std::string hint = suggest(key.str(), {"defaults"});
    faults_.add(
        place_of(key.source()),
        "there is no table " + table_text("queues", key.str()) +
            (hint.empty() ? ": the settings of one queue are in " + table_text("queue", key.str()) : hint));
  }
  void read_queue_tables(const toml::key& key, const toml::node& node) {
    const toml::table* const table = table_or_fault(key, node, "[queue.NAME]");
    if (table == nullptr) return;
    for (const auto& [inner, value] : *table) read_queue(inner, value);
  }
  void read_queue(const toml::key& key, const toml::node& node) {
    const std::string name(key.str());
    const ConfigPlace place = place_of(key.source());
    if (find_key(queue_keys(), name) != nullptr && !node.is_table())
      return faults_.add(
          place, name + " is of one queue: write it in [queue.NAME], or in [queues.defaults] for all");
    const toml::table* const table = table_or_fault(key, node, table_text("queue", name));
    if (table == nullptr) return;
    out_.queues.emplace_back(name, place);
    for (const auto& [inner, value] : *table) {
      if (inner.str() == kUserWeights || inner.str() == kKeyWeights)
        read_table({"queue", name, std::string(inner.str())}, inner, value);
      else if (value.is_table())
        faults_.add(place_of(inner.source()), table_text("queue", name) + " has no table " +
                                                  key_text(inner.str()) +
                                                  suggest(inner.str(), {kUserWeights, kKeyWeights}) +
                                                  "; a queue's name with a dot is written in quotes: " +
                                                  table_text("queue", name + "." + std::string(inner.str())));
      else
        read_settings({"queue", name}, inner, value);
    }
  }

  ConfigDocument& out_;
  ConfigFaultList& faults_;
};

}  // namespace

bool read_config_file(const std::string& text, const std::string& file, ConfigDocument& out,
                      ConfigFaultList& faults) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    faults.add(place_of(parsed.error().source()), parsed.error().description());
    return false;
  }
  FileReader(out, faults).top(parsed.table());
  return true;
}

}  // namespace pqd
