// The grammar of the commands about dead letters.
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

constexpr char kId[] = "0199f3a2-5b1c-7000-8000-000000000001";

void add_choice(CLI::App& command, DeadLetterChoice& choice) {
  command.add_option("ID", choice.id, "one job");
  command.add_flag("--all", choice.all, "every dead letter");
  command.add_option("--type", choice.type, "those of one type");
  command.add_option("--queue", choice.queue, "those of one queue");
  command.add_option("--before", choice.before, "dead since before: 7d ago, or 2026-01-31T12:00:00Z");
}

void add_list(CLI::App& dlq, Chosen& chosen) {
  const auto filter = std::make_shared<ListOptions>();
  CLI::App& list = add_command(dlq, "ls", "List dead letters, newest first", "pqctl dlq ls --type mail");
  list.add_option("--type", filter->type, "only this type");
  list.add_option("--queue", filter->queue, "only this queue");
  list.add_option("--since", filter->since, "of jobs created since: 1h ago, or 2026-01-31T12:00:00Z");
  list.add_option("--limit", filter->limit, "at most so many (50)")->check(CLI::Range(1u, 1'000'000u));
  list.callback(
      [=, &chosen] { chosen = [filter](Context& context) { return run_dlq_list(context, *filter); }; });
  const auto id = std::make_shared<std::string>();
  CLI::App& show = add_command(dlq, "show", "Show a dead letter with its payload and every attempt's error",
                               std::string("pqctl dlq show ") + kId);
  show.add_option("ID", *id, "the job's id")->required();
  show.callback([=, &chosen] { chosen = [id](Context& context) { return run_dlq_show(context, *id); }; });
}

void add_redrive(CLI::App& dlq, Chosen& chosen) {
  const auto options = std::make_shared<RedriveOptions>();
  CLI::App& redrive = add_command(dlq, "redrive", "Make dead letters pending again, attempts reset",
                                  "pqctl dlq redrive --type mail --rate 10/s");
  add_choice(redrive, options->choice);
  redrive.add_option("--rate", options->rate, "at most so many, such as 10/s or 300/m");
  redrive.add_flag("--dry-run", options->dry_run, "only say how many there are");
  redrive.callback(
      [=, &chosen] { chosen = [options](Context& context) { return run_dlq_redrive(context, *options); }; });
}

void add_review(CLI::App& dlq, Chosen& chosen) {
  const auto words = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App& review = add_command(dlq, "review", "Mark a dead letter as looked into, with what was found",
                                 std::string("pqctl dlq review ") + kId + " --resolution \"bad address\"");
  review.add_option("ID", words->first, "the job's id")->required();
  review.add_option("--resolution", words->second, "what was found or done, at most 1024 bytes")->required();
  review.callback([=, &chosen] {
    chosen = [words](Context& context) { return run_dlq_review(context, words->first, words->second); };
  });
}

void add_purge(CLI::App& dlq, Chosen& chosen) {
  const auto options = std::make_shared<PurgeOptions>();
  CLI::App& purge = add_command(dlq, "purge", "Drop dead letters and their payloads for good",
                                "pqctl dlq purge --before 30d");
  add_choice(purge, options->choice);
  purge.add_flag("--dry-run", options->dry_run, "only say how many there are");
  purge.add_flag("--yes", options->yes, "do not ask at a terminal");
  purge.callback(
      [=, &chosen] { chosen = [options](Context& context) { return run_dlq_purge(context, *options); }; });
}

}  // namespace

void add_dlq_commands(CLI::App& app, Chosen& chosen) {
  CLI::App& dlq =
      add_command(app, "dlq", "Look at dead letters, redrive, review and purge them", "pqctl dlq ls");
  dlq.require_subcommand(1);
  add_list(dlq, chosen);
  add_redrive(dlq, chosen);
  add_review(dlq, chosen);
  add_purge(dlq, chosen);
}

}  // namespace pqd::ctl
