// pqctl dlq ls | show ID | review ID --resolution TEXT
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/info_json.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/list.h"

namespace pqd::ctl {
namespace {

// Who looked into it, and when; nothing = nobody in this life.
std::string review_text(const JobInfo& job) {
  if (!job.core.reviewed || job.reviews.empty()) return {};
  return "by " + std::to_string(job.reviews.back().uid) + ", " + age_text(job.reviews.back().when_ns);
}

}  // namespace

int run_dlq_list(Context& context, const ListOptions& options) {
  const auto query = list_query(options);
  if (!query) return context.fail(query.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto jobs = list_jobs(*client, &Client::dlq, limits::kDeadLetterPageMax, *query, options.limit);
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
               {.heading = "SINCE", .width_min = 6},
               {.heading = "REVIEWED"}});
  for (const JobInfo& job : *jobs) {
    const bool said = !job.history.empty() && !job.history.back().error.empty();
    const std::string why = said ? job.history.back().error : std::string(reason_name(job.core.reason));
    table.add({{job.core.id.to_string()},
               {job.type},
               {job.queue},
               {why, Tone::kBad},
               {age_text(job.core.finished_ns)},
               {review_text(job), Tone::kFaint}});
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

int run_dlq_review(Context& context, const std::string& id_text, const std::string& resolution) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  if (resolution.empty() || resolution.size() > limits::kNoteBytesMax) {
    return context.fail(complaint_of(Error::kInvalidRequest,
                                     "--resolution must be 1 to 1024 bytes: what was found, in short"));
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto done = client->review(*id, resolution);
  return done ? kExitOk : context.fail(done.error());
}

}  // namespace pqd::ctl
