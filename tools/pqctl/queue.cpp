// pqctl queue ls | show Q | pause Q | resume Q | drain Q; `set` is in queue_set.cpp
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/info_json.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/queue_name.h"

namespace pqd::ctl {
namespace {

Cell state_cell(const QueueInfo& queue) {
  if (queue.draining) return {"draining", Tone::kWarn};
  if (queue.paused) return {"paused", Tone::kWarn};
  return {"open", Tone::kGood};
}

std::string timeout_text(uint32_t ms) { return ms == 0 ? "for ever" : duration_text(Milliseconds(ms)); }

Sheet queue_sheet(const QueueInfo& queue) {
  const QueueSettings& settings = queue.settings;
  const Cell state = state_cell(queue);
  Sheet sheet;
  sheet.add("queue", queue.name);
  sheet.add("state", state.text, state.tone);
  sheet.add("ready", std::to_string(queue.ready));
  sheet.add("scheduled", std::to_string(queue.scheduled) + " (delayed, or between attempts)");
  sheet.add("held", std::to_string(queue.held) + " (behind others with their ordering key)");
  sheet.add("collecting", std::to_string(queue.collecting) + " (for a batch)");
  sheet.add("active",
            std::to_string(queue.active) +
                (settings.max_active == 0 ? "" : " of at most " + std::to_string(settings.max_active)));
  sheet.add("waiting for room", std::to_string(queue.parked));
  sheet.add("dead letters", std::to_string(queue.dlq));
  sheet.add("consumers", std::to_string(queue.consumers));
  sheet.add("oldest ready", queue.oldest_ready_ns == 0 ? "" : "since " + age_text(queue.oldest_ready_ns));
  sheet.add("payload bytes", std::to_string(queue.bytes) + " of " + std::to_string(settings.max_bytes));
  sheet.add("depth at most", std::to_string(settings.max_depth));
  sheet.add("waits for room", timeout_text(settings.admission_timeout_ms));
  sheet.add("waits in the queue", timeout_text(settings.queue_timeout_ms));
  sheet.add("lease", duration_text(Milliseconds(settings.processing_timeout_ms)));
  sheet.add("attempts", std::to_string(settings.max_attempts) + ", backoff from " +
                            duration_text(Milliseconds(settings.backoff_first_ms)) + " to " +
                            duration_text(Milliseconds(settings.backoff_cap_ms)));
  if (queue.overridden != 0) {
    sheet.add("set at run time", overridden_text(queue) + ", by user " +
                                     std::to_string(queue.overridden_uid) + ", " +
                                     age_text(queue.overridden_ns));
  }
  return sheet;
}

}  // namespace

int run_queue_list(Context& context) {
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto queues = client->queues();
  if (!queues) return context.fail(queues.error());
  if (context.format() != Format::kTable) {
    boost::json::array array;
    for (const QueueInfo& queue : *queues) array.push_back(queue_json(queue));
    context.print_json_list(array);
    return kExitOk;
  }
  Table table({{.heading = "QUEUE", .width_min = 8},
               {.heading = "STATE", .whole = true},
               {.heading = "READY", .right = true},
               {.heading = "SCHEDULED", .right = true},
               {.heading = "ACTIVE", .right = true},
               {.heading = "DLQ", .right = true},
               {.heading = "CONSUMERS", .right = true}});
  for (const QueueInfo& queue : *queues) {
    table.add({{queue.name},
               state_cell(queue),
               {std::to_string(queue.ready)},
               {std::to_string(queue.scheduled)},
               {std::to_string(queue.active)},
               {std::to_string(queue.dlq), queue.dlq == 0 ? Tone::kPlain : Tone::kBad},
               {std::to_string(queue.consumers)}});
  }
  context.print(table);
  return kExitOk;
}

int run_queue_show(Context& context, const std::string& name) {
  if (const auto named = check_queue_name(name); !named) return context.fail(named.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto queues = client->queues(name);
  if (!queues) return context.fail(queue_complaint(*client, name, queues.error()));
  if (context.format() == Format::kTable) {
    context.print(queue_sheet(queues->front()));
  } else {
    context.print_json(boost::json::value(queue_json(queues->front())));
  }
  return kExitOk;
}

int run_queue_control(Context& context, QueueAction action, const std::string& name) {
  if (const auto named = check_queue_name(name); !named) return context.fail(named.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto done = client->queue_control(action, name);
  return done ? kExitOk : context.fail(queue_complaint(*client, name, done.error()));
}

}  // namespace pqd::ctl
