// pqctl store check [DIRECTORY]
#include <unistd.h>

#include <boost/json/object.hpp>

#include "bindings/cpp/dial.h"
#include "tools/pqctl/commands.h"
#include "tools/pqctl/config_source.h"
#include "tools/pqctl/state_directory.h"
#include "tools/store/report.h"

namespace pqd::ctl {
namespace {

Checked<std::string> directory_of(Context& context, const StoreOptions& options) {
  if (!options.directory.empty()) return options.directory;
  const std::string path = config_path(options.config);
  const auto config = load_config(path, process_environment());
  if (!config) return complain(kExitBadConfig, config.error().front());
  return state_directory(config->daemon, trace_daemon(find_socket(context.connect_options().socket)));
}

// Whether there is something to check; the fault is the only one then.
bool nothing_there(const StoreReport& report) {
  return report.faults.size() == 1 && report.faults[0].part == "format";
}

}  // namespace

int run_store_check(Context& context, const StoreOptions& options) {
  const auto directory = directory_of(context, options);
  if (!directory) return context.fail(directory.error());
  if (::access(directory->c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
    return context.fail(complaint_of(
        Error::kUnauthorized, *directory + " may not be read: ask again as root or as the daemon's user"));
  }
  const StoreReport report = check_store(*directory);
  if (nothing_there(report)) return context.fail({kExitNotFound, report.faults[0].text});
  if (context.format() == Format::kTable) {
    print_report(context, report);
    const std::string in_use = report.in_use ? ", in use" : "";
    if (report.faults.empty())
      context.print(context.colour().paint(Tone::kGood, "whole") + ": " + *directory + in_use + "\n");
    else
      context.print(context.colour().paint(Tone::kBad, "damaged") + ": " + *directory + in_use +
                    (report.starts ? "; pqd starts from it all the same" : "; pqd does not start from it") +
                    ": restore a backup, or see `pqctl store salvage --help`\n");
  } else {
    boost::json::object object{{"directory", *directory}, {"whole", report.faults.empty()}};
    for (auto& member : report_json(report)) object[member.key()] = member.value();
    context.print_json(object);
  }
  return report.faults.empty() ? kExitOk : kExitFailed;
}

}  // namespace pqd::ctl
