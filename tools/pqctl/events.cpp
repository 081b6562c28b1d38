// pqctl events [-f] [--last N] [--queue --type --user --job --state]
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/pqctl/duration.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/list.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

constexpr uint32_t kLastDefault = 50;

json::object event_json(const JobEvent& e) {
  json::object object;
  object["event"] = change_name(e.kind);
  object["number"] = e.number;
  if (e.when_ns != 0) object["at"] = iso_time(e.when_ns);
  if (e.kind == ChangeKind::kGap) {
    object["lost"] = e.lost != 0 ? json::value(e.lost) : json::value(nullptr);
    if (e.interrupted) object["interrupted"] = true;
    return object;
  }
  object["requestId"] = e.id.to_string();
  object["queue"] = one_line(e.queue);
  object["type"] = one_line(e.type);
  object["status"] = state_name(e.state);
  object["attempt"] = e.attempt;
  object["uid"] = e.owner_uid;
  if (e.reason != Reason::kNone) object["reason"] = reason_name(e.reason);
  if (e.kind == ChangeKind::kProgress) object["progress"] = e.progress;
  return object;
}

std::string detail_of(const JobEvent& e) {
  if (e.kind == ChangeKind::kGap) {
    if (e.interrupted) return "the daemon was away: what happened meanwhile is not told";
    return std::to_string(e.lost) + " events were left out, the reader is too slow";
  }
  if (e.kind == ChangeKind::kProgress) return std::to_string(e.progress) + " %";
  std::string detail;
  if (e.attempt > 0) detail = "attempt " + std::to_string(e.attempt);
  if (e.reason != Reason::kNone) detail += (detail.empty() ? "" : ", ") + std::string(reason_name(e.reason));
  return detail;
}

std::string time_of(const JobEvent& e) { return e.when_ns == 0 ? "" : iso_time(e.when_ns); }

Table table_of(const std::vector<JobEvent>& events) {
  Table table({{.heading = "TIME", .whole = true},
               {.heading = "EVENT", .whole = true},
               {.heading = "ID", .whole = true},
               {.heading = "TYPE"},
               {.heading = "QUEUE"},
               {.heading = "DETAIL", .width_min = 6}});
  for (const JobEvent& e : events) {
    table.add({{time_of(e), Tone::kFaint},
               {std::string(change_name(e.kind)), tone_of(e.state)},
               {e.id.to_string()},
               {e.type},
               {e.queue},
               {detail_of(e)}});
  }
  return table;
}

// One that comes alone: its columns cannot know those that follow.
std::string line_of(const JobEvent& e, const Colour& colour) {
  const auto padded = [](std::string text, size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
  };
  const Tone tone = e.kind == ChangeKind::kGap ? Tone::kBad : tone_of(e.state);
  std::string line = colour.paint(Tone::kFaint, padded(time_of(e), 24)) + "  " +
                     colour.paint(tone, padded(std::string(change_name(e.kind)), 16));
  if (e.kind != ChangeKind::kGap)
    line += "  " + e.id.to_string() + "  " + one_line(e.type) + "  " + one_line(e.queue);
  const std::string detail = detail_of(e);
  return line + (detail.empty() ? "" : "  " + detail) + "\n";
}

int follow(Context& context, Client& client, const WatchOptions& wanted) {
  const auto begun = client.watch(wanted);
  if (!begun) return context.fail(begun.error());
  for (;;) {
    auto event = client.next_event(Milliseconds(0));
    if (event && !*event) {
      // Nothing more is there: what was printed shall be seen.
      context.flush();
      if (context.reader_left()) return kExitOk;
      event = client.next_event(kForever);
    }
    if (!event) return context.fail(event.error());
    if (!*event) continue;
    if (context.format() == Format::kTable)
      context.print(line_of(**event, context.colour()));
    else
      context.print(json_text(json::value(event_json(**event)), JsonStyle::kCompact) + "\n");
    if (context.reader_left()) return kExitOk;
  }
}

}  // namespace

int run_events(Context& context, const EventsOptions& options) {
  const auto query = list_query(options.wanted);
  if (!query) return context.fail(query.error());
  WatchOptions wanted;
  wanted.queue = query->queue;
  wanted.type = query->type;
  wanted.states = query->filter.states;
  wanted.owner_uid = query->filter.owner_uid;
  wanted.last = options.last.value_or(options.follow ? 0 : kLastDefault);
  if (!options.job.empty()) {
    const auto id = parse_id(options.job);
    if (!id) return context.fail(id.error());
    wanted.job = *id;
  }
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  if (options.follow) return follow(context, *client, wanted);
  const auto events = client->recent_events(wanted);
  if (!events) return context.fail(events.error());
  if (context.format() == Format::kTable) {
    context.print(table_of(*events));
    return kExitOk;
  }
  json::array array;
  for (const JobEvent& event : *events) array.push_back(event_json(event));
  context.print_json_list(array);
  return kExitOk;
}

}  // namespace pqd::ctl
