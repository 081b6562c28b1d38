// pqctl dlq ls | show ID | redrive ID|--all|--type T [--rate N/s]
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <thread>

#include "tools/pqctl/info_json.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/list.h"
#include "tools/pqctl/progress.h"

namespace pqd::ctl {
namespace {

// Jobs a second out of "5", "5/s" or "300/m"; 0 for "" = no limit.
Checked<double> parse_rate(std::string_view text) {
  if (text.empty()) return 0;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const bool known = unit.empty() || unit == "/s" || unit == "/m";
  if (error != std::errc() || !known || !(number > 0) || number > 1e9) {
    return complain(kExitUsage, "--rate must be a number of jobs a second, such as 10/s, not \"" +
                                    std::string(text) + "\"");
  }
  return unit == "/m" ? number / 60 : number;
}

int redrive_one(Context& context, const std::string& id_text) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto done = client->redrive(*id);
  return done ? kExitOk : context.fail(done.error());
}

struct Redriven {
  size_t done = 0;
  size_t gone = 0;  // by somebody else meanwhile
};

// The oldest first, each at its time.
Checked<Redriven> redrive_all(Client& client, const std::vector<JobInfo>& jobs, double rate,
                              Progress& progress) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Redriven count;
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    if (rate > 0) {
      const std::chrono::duration<double> due(static_cast<double>(count.done + count.gone) / rate);
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(due));
    }
    const auto done = client.redrive(job->core.id);
    const bool gone =
        !done && (done.error().error == Error::kNotFound || done.error().error == Error::kInvalidStatus);
    if (!done && !gone) return complain(done.error());
    ++(gone ? count.gone : count.done);
    progress.show(std::to_string(count.done) + " of " + std::to_string(jobs.size()) + " redriven");
  }
  return count;
}

}  // namespace

int run_dlq_list(Context& context, const ListOptions& options) {
  const auto query = list_query(options);
  if (!query) return context.fail(query.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto jobs = list_jobs(*client, &Client::dlq, *query, options.limit);
  if (!jobs) return context.fail(jobs.error());
  if (context.format() != Format::kTable) {
    boost::json::array array;
    for (const JobInfo& job : *jobs) array.push_back(job_json(job));
    context.print_json_list(array);
    return kExitOk;
  }
  Table table({{.heading = "ID", .whole = true},
               {.heading = "TYPE"},
               {.heading = "QUEUE"},
               {.heading = "ERROR", .width_min = 8},
               {.heading = "SINCE", .width_min = 6}});
  for (const JobInfo& job : *jobs) {
    const bool said = !job.history.empty() && !job.history.back().error.empty();
    const std::string why = said ? job.history.back().error : std::string(reason_name(job.core.reason));
    table.add({{job.core.id.to_string()},
               {job.type},
               {job.queue},
               {why, Tone::kBad},
               {age_text(job.core.finished_ns)}});
  }
  context.print(table);
  return kExitOk;
}

int run_dlq_show(Context& context, const std::string& id_text) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto job = client->dlq_get(*id);
  if (!job) return context.fail(job.error());
  if (context.format() == Format::kTable) {
    context.print(job_sheet(*job));
  } else {
    context.print_json(boost::json::value(job_json(*job)));
  }
  return kExitOk;
}

int run_dlq_redrive(Context& context, const RedriveOptions& options) {
  const int named = (options.id.empty() ? 0 : 1) + (options.all ? 1 : 0) + (options.type.empty() ? 0 : 1);
  if (named != 1) return context.fail({kExitUsage, "redrive takes one of: an ID, --all, --type T"});
  if (!options.id.empty()) return redrive_one(context, options.id);
  const auto rate = parse_rate(options.rate);
  if (!rate) return context.fail(rate.error());
  ListOptions wanted;
  wanted.type = options.type;
  const auto query = list_query(wanted);
  if (!query) return context.fail(query.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto jobs = list_jobs(*client, &Client::dlq, *query, UINT32_MAX);
  if (!jobs) return context.fail(jobs.error());
  Progress progress(STDERR_FILENO);
  const auto count = redrive_all(*client, *jobs, *rate, progress);
  progress.clear();
  if (!count) return context.fail(count.error());
  context.say(std::to_string(count->done) + " redriven" +
              (count->gone != 0 ? ", " + std::to_string(count->gone) + " were no longer there" : ""));
  return kExitOk;
}

}  // namespace pqd::ctl
