// pqctl config check FILE | show
#include "daemon/config/config.h"

#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/config_json.h"
#include "tools/pqctl/config_source.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

// Bare lines, as compilers write them, so that editors find the place.
int complain_of(Context& context, const ConfigFaults& faults) {
  context.flush();
  std::string text;
  for (const std::string& fault : faults) text += one_line(fault) + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  return kExitBadConfig;
}

void print_verdict(Context& context, const std::string& file, const ConfigFaults& faults) {
  boost::json::array texts;
  for (const std::string& fault : faults) texts.emplace_back(one_line(fault));
  context.print_json(
      boost::json::value({{"file", one_line(file)}, {"good", faults.empty()}, {"faults", std::move(texts)}}));
}

}  // namespace

int run_config_check(Context& context, const std::string& file) {
  // The environment is the daemon's, not that of whoever asks about a file.
  const auto config = load_config(file, {});
  if (context.format() != Format::kTable) {
    print_verdict(context, file, config ? ConfigFaults() : config.error());
  } else if (config) {
    context.print(one_line(file) + " is good\n");
  }
  return config ? kExitOk : complain_of(context, config.error());
}

int run_config_show(Context& context, const std::string& file) {
  const auto config = load_config(config_path(file), process_environment());
  if (!config) return complain_of(context, config.error());
  if (context.format() == Format::kTable) {
    context.print_foreign(render_config(*config));
  } else {
    context.print_json(boost::json::value(config_json(*config)));
  }
  return kExitOk;
}

}  // namespace pqd::ctl
