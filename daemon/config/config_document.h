// What the file and the environment say, before anybody asks whether it is true: a flat list of settings,
// each with its place. Internal to daemon/config.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/config_value.h"

namespace pqd {

// Line and column of the file, or a variable of the environment.
struct ConfigPlace {
  uint32_t line = 1;
  uint32_t column = 1;
  std::string variable;
};

// Which table: [daemon], [engine], [queues], [queues.defaults], [limits], [store], [queue.NAME],
// [access.user.NAME], [access.group.NAME], or one inside that.
struct ConfigTable {
  std::string name;
  std::string of;  // the queue, user or group
  std::string inside = {};

  friend bool operator==(const ConfigTable&, const ConfigTable&) = default;
};
std::string table_text(const ConfigTable& table);

// The tables of users and groups.
inline constexpr std::string_view kAccessUser = "access.user";
inline constexpr std::string_view kAccessGroup = "access.group";

struct ConfigSetting {
  ConfigTable table;
  std::string key;
  RawValue value;
  ConfigPlace key_place;
  ConfigPlace value_place;
};

// What is wrong, as it is found.
class ConfigFaultList {
 public:
  explicit ConfigFaultList(std::string file) : file_(std::move(file)) {}
  void add(const ConfigPlace& place, std::string_view what);
  bool empty() const { return faults_.empty(); }
  // As texts: by line and column, those of the environment last.
  ConfigFaults take();

 private:
  std::string file_;
  std::multiset<std::tuple<bool, uint32_t, uint32_t, std::string>> faults_;
};

struct ConfigDocument {
  std::vector<ConfigSetting> settings;                      // later ones win
  std::vector<std::pair<std::string, ConfigPlace>> queues;  // each [queue.NAME], empty ones as well
  std::vector<std::pair<ConfigTable, ConfigPlace>> access;  // each [access.user.NAME], [access.group.NAME]
};

// Appends what the file says; false when its text is no TOML at all.
bool read_config_file(const std::string& text, const std::string& file, ConfigDocument& out,
                      ConfigFaultList& faults);
// Appends what the environment says. REQUIRES: the file has been read, for the names of its queues.
void read_config_environment(const std::vector<std::string>& environment, ConfigDocument& out,
                             ConfigFaultList& faults);

// What the document says, as values.
Config apply_config(const ConfigDocument& document, ConfigFaultList& faults);

}  // namespace pqd
