#include "daemon/config/config_document.h"

#include "daemon/config/config_text.h"

namespace pqd {

std::string table_text(const ConfigTable& table) {
  const std::string outer = table_text(table.name, table.of);
  if (table.inside.empty()) return outer;
  return outer.substr(0, outer.size() - 1) + "." + key_text(table.inside) + "]";
}

void ConfigFaultList::add(const ConfigPlace& place, std::string_view what) {
  const bool variable = !place.variable.empty();
  const std::string where =
      variable ? "environment " + place.variable
               : file_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  faults_.emplace(variable, variable ? 0 : place.line, variable ? 0 : place.column,
                  where + ": " + std::string(what));
}

ConfigFaults ConfigFaultList::take() {
  ConfigFaults texts;
  for (const auto& fault : faults_) texts.push_back(std::get<std::string>(fault));
  faults_.clear();
  return texts;
}

}  // namespace pqd
