// pqctl dlq redrive ID|--all|--type T|--queue Q [--rate N/s] | purge ID|--before T|--all
#include <unistd.h>

#include <charconv>
#include <iostream>
#include <thread>

#include "tools/pqctl/dead_letter_walk.h"
#include "tools/pqctl/job_view.h"
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

using Many = Result<ManyOutcome> (Client::*)(std::span<const JobId> ids);

// What is done to all that the walk meets.
struct Work {
  Many command;
  const char* past;  // "redriven"
  double rate = 0;   // jobs a second; 0 = as fast as it goes
};

// So many at once that they share a commit, and few enough that a rate is kept evenly.
uint32_t portion_of(double rate) {
  if (rate <= 0) return limits::kDeadLetterPageMax;
  return static_cast<uint32_t>(std::clamp(rate / 10, 1.0, double{limits::kDeadLetterPageMax}));
}

Checked<ManyOutcome> do_to_all(Client& client, DeadLetterWalk& walk, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Progress progress(STDERR_FILENO);
  ManyOutcome count;
  for (;;) {
    const auto ids = walk.next(portion_of(work.rate));
    if (!ids) return std::unexpected(ids.error());
    if (ids->empty()) return count;
    if (work.rate > 0) {
      const std::chrono::duration<double> due(static_cast<double>(count.done + count.gone) / work.rate);
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(due));
    }
    const auto done = (client.*work.command)(*ids);
    if (!done) {
      Complaint complaint = complaint_of(done.error());
      complaint.text += "; before that " + std::to_string(count.done) + " were " + work.past +
                        ", say it again for the rest";
      return std::unexpected(std::move(complaint));
    }
    count.done += done->done;
    count.gone += done->gone;
    const uint64_t all = walk.expected();
    progress.show(std::to_string(count.done) + (all == 0 ? "" : " of " + std::to_string(all)) + " " +
                  work.past);
  }
}

int do_to_one(Context& context, const std::string& id_text, Result<void> (Client::*command)(const JobId&)) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto done = (*client.*command)(*id);
  return done ? kExitOk : context.fail(done.error());
}

int do_to_many(Context& context, const DeadLetterChoice& choice, const Work& work) {
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  auto walk = DeadLetterWalk::begin(*client, choice);
  if (!walk) return context.fail(walk.error());
  const auto count = do_to_all(*client, *walk, work);
  if (!count) return context.fail(count.error());
  context.say(std::to_string(count->done) + " " + work.past +
              (count->gone != 0 ? ", " + std::to_string(count->gone) + " were no longer there" : ""));
  return kExitOk;
}

int say_how_many(Context& context, const DeadLetterChoice& choice, const char* past) {
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto count = count_dead_letters(*client, choice);
  if (!count) return context.fail(count.error());
  context.say(std::to_string(*count) + " would be " + past);
  return kExitOk;
}

// A person at a terminal is asked before payloads go; a script has said what it wants.
Checked<bool> agreed(Context& context, const PurgeOptions& options) {
  if (options.yes || ::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return true;
  auto client = context.connect();
  if (!client) return std::unexpected(client.error());
  const auto count = count_dead_letters(*client, options.choice);
  if (!count) return std::unexpected(count.error());
  if (*count == 0) return true;
  context.say("purge " + std::to_string(*count) + " dead letters and their payloads for good? yes or no:");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes" || answer == "y";
}

}  // namespace

int run_dlq_redrive(Context& context, const RedriveOptions& options) {
  if (const auto ok = check_choice("redrive", options.choice); !ok) return context.fail(ok.error());
  const auto rate = parse_rate(options.rate);
  if (!rate) return context.fail(rate.error());
  if (!options.choice.id.empty()) return do_to_one(context, options.choice.id, &Client::redrive);
  if (options.dry_run) return say_how_many(context, options.choice, "redriven");
  return do_to_many(context, options.choice, {&Client::redrive_many, "redriven", *rate});
}

int run_dlq_purge(Context& context, const PurgeOptions& options) {
  if (const auto ok = check_choice("purge", options.choice); !ok) return context.fail(ok.error());
  if (!options.choice.id.empty()) return do_to_one(context, options.choice.id, &Client::purge);
  if (options.dry_run) return say_how_many(context, options.choice, "purged");
  const auto go = agreed(context, options);
  if (!go) return context.fail(go.error());
  if (!*go) return context.fail({kExitFailed, "nothing was purged"});
  return do_to_many(context, options.choice, {&Client::purge_many, "purged"});
}

}  // namespace pqd::ctl
