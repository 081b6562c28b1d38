#include "tools/store/directory.h"

#include <unistd.h>

#include "bindings/cpp/dial.h"
#include "tools/pqctl/config_source.h"
#include "tools/pqctl/state_directory.h"

namespace pqd::ctl {
namespace {

Checked<std::string> wanted(Context& context, const StoreOptions& options) {
  if (!options.directory.empty()) return options.directory;
  const auto config = load_config(config_path(options.config), process_environment());
  if (!config) return complain(kExitBadConfig, config.error().front());
  return state_directory(config->daemon, trace_daemon(find_socket(context.connect_options().socket)));
}

}  // namespace

Checked<std::string> store_directory(Context& context, const StoreOptions& options) {
  auto directory = wanted(context, options);
  if (directory && ::access(directory->c_str(), R_OK | X_OK) != 0 && errno == EACCES)
    return complain(Error::kUnauthorized,
                    *directory + " may not be read: ask again as root or as the daemon's user");
  return directory;
}

}  // namespace pqd::ctl
