// pqctl submit TYPE [PAYLOAD | @FILE | -] [--queue ... --wait]
#include <unistd.h>

#include <bit>
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/submit_fields.h"

namespace pqd::ctl {
namespace {

// A payload over the usual limit needs a lane at least twice its length.
void widen_lanes(ConnectOptions& options, const SubmitFields& fields) {
  if (fields.payload.size() <= limits::kPayloadBytesDefault) return;
  const auto lane_bytes = std::bit_ceil(2 * (fields.payload.size() + limits::kRecordOverheadMax));
  const Lane lane = fields.mode == Mode::kPriority ? lane_of_priority(fields.priority) : Lane::kNormal;
  options.sizes.lane_bytes[lane_index(lane)] = static_cast<uint32_t>(lane_bytes);
}

void print_accepted(Context& context, const Outcome& outcome) {
  const std::string id = outcome.id.to_string();
  if (context.format() == Format::kTable) return context.print(id + "\n");
  boost::json::object object{
      {"requestId", id}, {"status", "pending"}, {"message", "Request queued successfully"}};
  if (outcome.duplicate) {
    object = {{"requestId", id}, {"duplicate", true}, {"message", "Request was submitted before"}};
    if (outcome.state) object["status"] = boost::json::string_view(state_name(*outcome.state));
  }
  context.print_json(boost::json::value(object));
}

// When every field is good, one of the two names was one too many: which, the queue's being there tells.
Complaint refusal_by(Client& client, const Failure& failure, const std::string& queue) {
  if (failure.error != Error::kInvalidRequest) return refusal_of(failure, queue);
  const auto there = client.queues(queue);
  if (!there && there.error().error != Error::kNotFound) return refusal_of(failure, queue);
  const std::string names =
      there ? std::to_string(limits::kTypesMax) + " types" : std::to_string(limits::kQueuesMax) + " queues";
  return complaint_of(Error::kInvalidRequest, "there are " + names +
                                                  ", the most that there may be; use one of them" +
                                                  (there ? "" : " (`pqctl queue ls`)"));
}

}  // namespace

int run_submit(Context& context, const SubmitOptions& options) {
  if (!options.ndjson.empty()) return run_submit_ndjson(context, options);
  const auto fields = read_fields(options.fields, options.payload);
  if (!fields) return context.fail(fields.error());
  ConnectOptions connect_options = context.connect_options();
  widen_lanes(connect_options, *fields);
  auto client = context.connect(connect_options);
  if (!client) return context.fail(client.error());
  const auto ticket = client->submit(fields->request());
  if (!ticket) return context.fail(ticket.error());
  const auto outcome = client->wait(*ticket, Milliseconds(connect_options.answer_timeout_ms));
  if (!outcome) return context.fail(refusal_by(*client, outcome.error(), fields->queue));
  if (outcome->duplicate) context.say("a job with this idempotency key was there already: this is its id");
  if (!options.wait) {
    print_accepted(context, *outcome);
    return kExitOk;
  }
  if (::isatty(STDERR_FILENO) == 1)
    context.say("submitted " + outcome->id.to_string() + ", waiting for its end");
  const auto job = wait_for_end(*client, outcome->id, context.timeout());
  if (!job) return context.fail(job.error());
  return report_end(context, *job);
}

}  // namespace pqd::ctl
