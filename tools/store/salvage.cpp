// pqctl store salvage FROM TO
#include "daemon/store/salvage.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/utf8.h"
#include "tools/store/report.h"

namespace pqd::ctl {

int run_store_salvage(Context& context, const StoreOptions& options) {
  const auto report = salvage_store(options.directory, options.to);
  if (!report) {
    Complaint complaint = complaint_of(report.error().code, report.error().text);
    if (report.error().code == Error::kUnavailable) complaint.exit = kExitTryAgain;
    return context.fail(complaint);
  }
  const bool all = report->lost.empty();
  if (context.format() == Format::kTable) {
    for (const std::string& lost : report->lost)
      context.print(context.colour().paint(Tone::kBad, "lost") + ": " + one_line(lost) + "\n");
    print_report(context, report->after);
    if (report->files_listed_anew) context.print("RocksDB's list of its files was made anew\n");
    context.print(options.to + " goes on from commit " + std::to_string(report->last_commit) +
                  (all ? "; nothing is lost" : "") +
                  ": look at it, then give it the old one's name and owner, and start pqd\n");
  } else {
    boost::json::array lost;
    for (const std::string& line : report->lost) lost.emplace_back(one_line(line));
    context.print_json(boost::json::object{{"directory", options.to},
                                           {"lastCommit", report->last_commit},
                                           {"filesListedAnew", report->files_listed_anew},
                                           {"lost", std::move(lost)},
                                           {"check", report_json(report->after)}});
  }
  return all ? kExitOk : kExitFailed;
}

}  // namespace pqd::ctl
