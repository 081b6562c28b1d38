// pqctl ls [--state --type --queue --user --since --until --before --limit]
#include "tools/pqctl/list.h"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "daemon/config/suggest.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/info_json.h"
#include "tools/pqctl/job_view.h"
#include "tools/pqctl/moment.h"

namespace pqd::ctl {
namespace {

constexpr std::array<std::string_view, kJobStateCount> kStates{
    "pending", "assigned", "processing", "completed", "failed", "timeout", "cancelled"};

Checked<uint8_t> state_bits(const std::vector<std::string>& states) {
  unsigned bits = 0;
  for (const std::string& text : states) {
    const auto state = parse_state(text);
    if (!state) {
      return complain(Error::kInvalidRequest, "there is no state \"" + text +
                                                  "\"; there are pending, assigned, processing, completed, "
                                                  "failed, timeout, cancelled" +
                                                  suggest(text, kStates));
    }
    bits |= 1u << static_cast<unsigned>(*state);
  }
  return static_cast<uint8_t>(bits);
}

Checked<uint32_t> user_id(const std::string& text) {
  uint32_t uid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  if (error == std::errc() && end == text.data() + text.size()) return uid;
  if (const passwd* user = ::getpwnam(text.c_str()); user != nullptr) return user->pw_uid;
  return complain(kExitBadData, "there is no user \"" + text + "\" on this host; give a name or a uid");
}

Checked<void> check_name(std::string_view what, const std::string& name) {
  if (name.empty() || valid_name(name)) return {};
  return complain(Error::kInvalidRequest,
                  "the " + std::string(what) + "'s name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
}

}  // namespace

Checked<ListQuery> list_query(const ListOptions& options) {
  if (auto named = check_name("queue", options.queue); !named) return std::unexpected(named.error());
  if (auto named = check_name("type", options.type); !named) return std::unexpected(named.error());
  const auto states = state_bits(options.states);
  if (!states) return std::unexpected(states.error());
  ListQuery query{options.type, options.queue, {}};
  query.filter.states = *states;
  if (!options.user.empty()) {
    const auto uid = user_id(options.user);
    if (!uid) return std::unexpected(uid.error());
    query.filter.owner_uid = *uid;
  }
  if (!options.since.empty()) {
    const auto since = moment_ms(options.since);
    if (!since) return std::unexpected(since.error());
    query.filter.since_ms = *since;
  }
  if (!options.until.empty()) {
    const auto until = moment_ms(options.until);
    if (!until) return std::unexpected(until.error());
    query.filter.until_ms = *until;
  }
  if (!options.before.empty()) {
    const auto before = parse_id(options.before);
    if (!before) return std::unexpected(before.error());
    query.filter.older_than = *before;
  }
  return query;
}

Checked<std::vector<JobInfo>> list_jobs(Client& client, ListPage page, uint32_t page_max,
                                        const ListQuery& query, uint32_t limit) {
  ListFilter filter = query.filter;
  filter.type = query.type;
  filter.queue = query.queue;
  std::vector<JobInfo> jobs;
  while (jobs.size() < limit) {
    filter.limit = std::min<uint32_t>(limit - static_cast<uint32_t>(jobs.size()), page_max);
    auto more = (client.*page)(filter);
    if (!more) return complain(more.error());
    const size_t count = more->size();
    std::move(more->begin(), more->end(), std::back_inserter(jobs));
    if (count < filter.limit) break;
    filter.older_than = jobs.back().core.id;
  }
  return jobs;
}

int run_list(Context& context, const ListOptions& options) {
  const auto query = list_query(options);
  if (!query) return context.fail(query.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto jobs = list_jobs(*client, &Client::list, limits::kListPageMax, *query, options.limit);
  if (!jobs) return context.fail(jobs.error());
  if (context.format() != Format::kTable) {
    boost::json::array array;
    for (const JobInfo& job : *jobs) array.push_back(job_json(job));
    context.print_json_list(array);
    return kExitOk;
  }
  Table table({{.heading = "ID", .whole = true},
               {.heading = "STATUS", .whole = true},
               {.heading = "TYPE"},
               {.heading = "QUEUE"},
               {.heading = "TRIES", .whole = true},
               {.heading = "CREATED", .width_min = 7}});
  for (const JobInfo& job : *jobs) {
    const JobCore& core = job.core;
    table.add({{core.id.to_string()},
               {std::string(state_name(core.state)), tone_of(core.state)},
               {job.type},
               {job.queue},
               {std::to_string(core.attempts) + "/" + std::to_string(core.max_attempts)},
               {age_text(core.created_ns), Tone::kFaint}});
  }
  context.print(table);
  return kExitOk;
}

}  // namespace pqd::ctl
