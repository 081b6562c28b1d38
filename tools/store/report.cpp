#include "tools/store/report.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/doctor.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

std::string count(uint64_t number, const char* what) { return std::to_string(number) + " " + what; }

}  // namespace

void print_report(Context& context, const StoreReport& report) {
  if (report.partitions == 1)
    context.print(count(report.commits, "commits, the last is ") + std::to_string(report.last_commit) +
                  ", the checkpoint covers up to " + std::to_string(report.covered) + "\n");
  else
    context.print(count(report.commits, "commits in ") + count(report.partitions, "partitions, ") +
                  std::to_string(report.covered) + " of them under their checkpoints\n");
  context.print(count(report.live_jobs, "live jobs, ") + count(report.finished_jobs, "finished jobs, ") +
                count(report.dead_letters, "dead letters, ") + count(report.keys, "idempotency keys\n"));
  context.print(count(report.files, "tables, ") + bytes_in_words(report.bytes) + "\n");
  for (const std::string& remark : report.remarks) context.print("remark: " + one_line(remark) + "\n");
  for (const StoreFault& fault : report.faults)
    context.print(context.colour().paint(Tone::kBad, fault.part) + ": " + one_line(fault.text) + "\n");
}

json::object report_json(const StoreReport& report) {
  json::array faults;
  for (const StoreFault& fault : report.faults)
    faults.push_back(json::object{{"part", fault.part}, {"text", one_line(fault.text)}});
  json::array remarks;
  for (const std::string& remark : report.remarks) remarks.emplace_back(one_line(remark));
  return {{"inUse", report.in_use},
          {"starts", report.starts},
          {"partitions", report.partitions},
          {"files", report.files},
          {"bytes", report.bytes},
          {"commits", report.commits},
          {"lastCommit", report.last_commit},
          {"checkpoint", report.covered},
          {"liveJobs", report.live_jobs},
          {"finishedJobs", report.finished_jobs},
          {"deadLetters", report.dead_letters},
          {"keys", report.keys},
          {"faults", std::move(faults)},
          {"remarks", std::move(remarks)}};
}

}  // namespace pqd::ctl
