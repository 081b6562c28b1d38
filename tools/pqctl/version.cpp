// pqctl version
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

int run_version(Context& context) {
  if (context.format() == Format::kTable) {
    context.print("pqctl " PQD_VERSION "\n");
  } else {
    context.print_json(boost::json::value({{"version", PQD_VERSION}, {"abi", kAbiVersion}}));
  }
  return kExitOk;
}

}  // namespace pqd::ctl
