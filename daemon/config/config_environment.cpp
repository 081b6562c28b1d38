// The environment's part of the document: PQD_TABLE__KEY=value.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "daemon/config/config_document.h"
#include "daemon/config/config_text.h"
#include "daemon/config/suggest.h"

namespace pqd {
namespace {

constexpr std::string_view kPrefix = "PQD_";
constexpr std::string_view kBetween = "__";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A queue's name as it reads in a variable, where shells allow letters, digits and underscores only.
std::string as_in_variable(std::string_view name) {
  std::string out = lower(name);
  for (char& c : out)
    if (c == '.' || c == ':' || c == '-') c = '_';
  return out;
}

class EnvironmentReader {
 public:
  EnvironmentReader(ConfigDocument& out, ConfigFaultList& faults) : out_(out), faults_(faults) {}

  void read(const std::string& variable, const std::string& value) {
    const ConfigPlace place{.variable = variable};
    const std::string_view name = std::string_view(variable).substr(kPrefix.size());
    const size_t first = name.find(kBetween);
    const size_t last = name.rfind(kBetween);
    const std::string table = lower(name.substr(0, first));
    const std::string key = lower(name.substr(last + kBetween.size()));
    const bool nested = last > first + 1;
    const std::string_view middle = nested ? name.substr(first + 2, last - first - 2) : std::string_view();
    if (table == "access")
      return faults_.add(place, "who may do what stands in the configuration file only, under [access]");
    if (table == "queue") return read_queue(place, std::string(middle), key, value);
    const std::string path = nested ? table + "." + lower(middle) : table;
    if (path != "daemon" && path != "engine" && path != "queues" && path != "queues.defaults" &&
        path != "limits" && path != "store")
      return faults_.add(
          place, "there is no table " + table_text(path) +
                     suggest(path, {"daemon", "engine", "queues", "queues.defaults", "limits", "store"}));
    add({path, {}}, place, key, value);
  }

 private:
  void add(const ConfigTable& table, const ConfigPlace& place, const std::string& key,
           const std::string& value) {
    out_.settings.push_back({table, key, {.value = value, .untyped = true}, place, place});
  }
  // The file may spell a queue's name in ways that a variable cannot.
  void read_queue(const ConfigPlace& place, const std::string& middle, const std::string& key,
                  const std::string& value) {
    if (middle.empty()) return faults_.add(place, "the name of a queue is missing: PQD_QUEUE__NAME__KEY");
    std::set<std::string> meant;
    for (const auto& [name, where] : out_.queues)
      if (as_in_variable(name) == as_in_variable(middle)) meant.insert(name);
    if (meant.size() > 1)
      return faults_.add(place, "which queue is meant, " + *meant.begin() + " or " + *meant.rbegin() +
                                    "? Set it in the file");
    const std::string queue = meant.empty() ? lower(middle) : *meant.begin();
    if (meant.empty()) out_.queues.emplace_back(queue, place);
    add({"queue", queue}, place, key, value);
  }

  ConfigDocument& out_;
  ConfigFaultList& faults_;
};

}  // namespace

void read_config_environment(const std::vector<std::string>& environment, ConfigDocument& out,
                             ConfigFaultList& faults) {
  EnvironmentReader reader(out, faults);
  for (const std::string& variable : environment) {
    const size_t end = variable.find('=');
    if (!variable.starts_with(kPrefix) || end == std::string::npos) continue;
    const std::string name = variable.substr(0, end);
    if (name.find(kBetween, kPrefix.size()) == std::string::npos) continue;
    reader.read(name, variable.substr(end + 1));
  }
}

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) variables.emplace_back(*at);
  return variables;
}

}  // namespace pqd
