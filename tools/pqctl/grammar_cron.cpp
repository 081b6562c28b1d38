// The grammar of the commands about schedules.
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

void add_add(CLI::App& cron, Chosen& chosen) {
  CLI::App& add = add_command(
      cron, "add",
      "Have jobs made by a schedule. SPEC is one word: five fields (minute, hour, day of month, month, day "
      "of week),\n"
      "@hourly, @daily, @weekly, @monthly, @yearly, or an interval such as '@every 90s'",
      "pqctl cron add nightly '30 2 * * mon-fri' report '{\"of\":\"yesterday\"}' --tz Europe/Berlin");
  const auto options = std::make_shared<CronAddOptions>();
  const auto type = std::make_shared<std::string>();
  const auto payload = std::make_shared<std::string>();
  add.add_option("NAME", options->name, "the schedule's name")->required();
  add.add_option("SPEC", options->spec, "when it runs")->required();
  add.add_option("TYPE", *type, "what kind of job it makes")->required();
  CLI::Option* payload_option =
      add.add_option("PAYLOAD", *payload, "the jobs' payload: text, @FILE, or - for standard input");
  add.add_option("--tz,--zone", options->zone, "the time zone of its clock, such as Europe/Berlin (UTC)");
  add.add_flag("--replace", options->replace, "in the place of the schedule of this name");
  add_field_options(add, options, options->job, FieldsFor::kSchedule);
  add.callback([=, &chosen] {
    options->job.fields.emplace_back("type", *type);
    if (payload_option->count() != 0) options->job.payload = *payload;
    chosen = [options](Context& context) { return run_cron_add(context, *options); };
  });
}

void add_next(CLI::App& cron, Chosen& chosen) {
  const auto options = std::make_shared<CronNextOptions>();
  CLI::App& next =
      add_command(cron, "next", "Show when a schedule runs next, or, without a daemon, when it would",
                  "pqctl cron next '0 9 * * mon' --tz America/New_York -n 3");
  const auto word = std::make_shared<std::string>();
  CLI::Option* of =
      next.add_option("NAME|SPEC", *word, "a schedule's name, or when it would run, as for cron add");
  next.add_option("--spec", options->spec, "the same as SPEC")->excludes(of);
  CLI::Option* zone =
      next.add_option("--tz,--zone", options->zone, "the time zone of a SPEC, such as Europe/Berlin (UTC)");
  next.add_option("-n", options->count, "so many runs (5)")->check(CLI::Range(1u, 1'000u));
  next.callback([=, &chosen] {
    // A SPEC has what no name may have: spaces, or a @.
    const bool is_name = valid_name(*word);
    if (of->count() != 0) (is_name ? options->name : options->spec) = *word;
    if (is_name && zone->count() != 0)
      throw CLI::ValidationError("the schedule " + *word + " has a time zone of its own",
                                 "--tz is for a SPEC");
    chosen = [options](Context& context) { return run_cron_next(context, *options); };
  });
}

}  // namespace

void add_cron_commands(CLI::App& app, Chosen& chosen) {
  CLI::App& cron = add_command(app, "cron", "Look at schedules, add and remove them", "pqctl cron ls");
  cron.require_subcommand(1);
  add_command(cron, "ls", "List the schedules", "pqctl cron ls -o json").callback([&chosen] {
    chosen = run_cron_list;
  });
  add_add(cron, chosen);
  const auto name = std::make_shared<std::string>();
  CLI::App& remove =
      add_command(cron, "rm", "Remove a schedule; jobs that it has made stay", "pqctl cron rm nightly");
  remove.add_option("NAME", *name, "the schedule's name")->required();
  remove.callback(
      [=, &chosen] { chosen = [name](Context& context) { return run_cron_remove(context, *name); }; });
  add_next(cron, chosen);
}

}  // namespace pqd::ctl
