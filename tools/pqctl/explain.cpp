// pqctl explain ID: why a job is where it is.
#include "core/explanation.h"

#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/job_view.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

std::string ahead_text(const Explanation& e) {
  if (e.ahead == 0) return {};
  return std::to_string(e.ahead) + (e.ahead == kExplainedAheadMax ? " or more" : "") + " before it";
}

std::string holder_text(const Explanation& e) {
  if (e.holder == 0) return {};
  return "session " + std::to_string(e.holder) + ", pid " + std::to_string(e.holder_pid) + " of uid " +
         std::to_string(e.holder_uid);
}

// What a person can do about it, where there is something.
std::string remedy_of(const Explanation& e) {
  switch (e.awaits) {
    case Awaits::kResume:
      return "pqctl queue resume " + e.queue;
    case Awaits::kConsumer:
      return "start one, such as: pqctl work " + e.type +
             (e.queue == "default" ? "" : " --queue " + e.queue) + " -- CMD";
    case Awaits::kMaxActive:
      return "add to max_active of [queue." + e.queue + "], or let jobs be shorter";
    case Awaits::kCredit:
      return "start more consumers, or give them more --concurrency";
    case Awaits::kItsKey:
      if (e.ahead == 0) return {};  // its turn is about to come
      if (e.behind.empty()) return "ask an operator: the first of them is another user's";
      return "pqctl explain " + e.behind.to_string() + " tells of the first of them";
    case Awaits::kBatch:
      return "nothing: a batch goes when batch_size of [queue." + e.queue +
             "] are there, or batch_interval has passed";
    case Awaits::kRoom:
      return "start more consumers, or add to max_depth and max_bytes of [queue." + e.queue + "]";
    default:
      return {};
  }
}

Sheet explanation_sheet(const Explanation& e) {
  Sheet sheet;
  sheet.add("id", e.id.to_string());
  sheet.add("status", state_name(e.state));
  sheet.add("waits for", awaits_text(e.awaits));
  sheet.add("jobs", ahead_text(e));
  sheet.add("in hand of", holder_text(e));
  if (e.until_ns != 0) sheet.add("until", iso_time(e.until_ns) + " (" + age_text(e.until_ns) + ")");
  if (e.timeout_ns != 0) sheet.add("times out", iso_time(e.timeout_ns) + " (" + age_text(e.timeout_ns) + ")");
  if (e.reason != Reason::kNone) sheet.add("reason", reason_name(e.reason));
  if (e.cancel_requested) sheet.add("cancel", "asked for; its consumer has been told");
  sheet.add("attempts", std::to_string(e.attempts) + " of " + std::to_string(e.max_attempts));
  sheet.add("what to do", remedy_of(e));
  return sheet;
}

json::object explanation_json(const Explanation& e) {
  json::object object;
  object["requestId"] = e.id.to_string();
  object["status"] = state_name(e.state);
  object["waitsFor"] = awaits_name(e.awaits);
  object["queue"] = e.queue;
  object["type"] = e.type;
  object["ahead"] = e.ahead;
  object["activeInQueue"] = e.active;
  object["consumersOfQueue"] = e.consumers;
  object["attempts"] = e.attempts;
  object["maxAttempts"] = e.max_attempts;
  object["cancelRequested"] = e.cancel_requested;
  if (e.until_ns != 0) object["until"] = iso_time(e.until_ns);
  if (e.timeout_ns != 0) object["timesOutAt"] = iso_time(e.timeout_ns);
  if (e.reason != Reason::kNone) object["reason"] = reason_name(e.reason);
  if (!e.behind.empty()) object["behind"] = e.behind.to_string();
  if (e.holder != 0) {
    object["holder"] = json::object{{"session", e.holder}, {"pid", e.holder_pid}, {"uid", e.holder_uid}};
  }
  return object;
}

}  // namespace

int run_explain(Context& context, const std::string& id_text) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto explanation = client->explain(*id);
  if (!explanation) return context.fail(explanation.error());
  if (context.format() == Format::kTable) {
    context.print(explanation_sheet(*explanation));
  } else {
    context.print_json(json::value(explanation_json(*explanation)));
  }
  return kExitOk;
}

}  // namespace pqd::ctl
