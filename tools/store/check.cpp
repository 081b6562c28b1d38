// pqctl store check [DIRECTORY]
#include <boost/json/object.hpp>

#include "tools/store/directory.h"
#include "tools/store/report.h"

namespace pqd::ctl {
namespace {

// Whether there is something to check; the fault is the only one then.
bool nothing_there(const StoreReport& report) {
  return report.faults.size() == 1 && report.faults[0].part == "format";
}

}  // namespace

int run_store_check(Context& context, const StoreOptions& options) {
  const auto directory = store_directory(context, options);
  if (!directory) return context.fail(directory.error());
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
