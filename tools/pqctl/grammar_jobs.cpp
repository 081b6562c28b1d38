// The grammar of the commands about jobs.
#include <array>
#include <memory>

#include "tools/pqctl/duration.h"
#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

// An option, the field that it sets and its help.
struct FieldOption {
  const char* option;
  const char* field;
  const char* help;
};
constexpr std::array kFieldOptions{
    FieldOption{"--queue", "queue", "queue to submit to (default)"},
    FieldOption{"--mode", "mode", "fifo, priority or batch (fifo)"},
    FieldOption{"--priority", "priority",
                "1..20, or LOW, NORMAL, HIGH, CRITICAL; orders jobs of --mode priority"},
    FieldOption{"--key", "idempotency_key", "idempotency key: the same job is accepted once"},
    FieldOption{"--delay", "delay", "start no earlier than this from now: 500ms, 30s, 5m, 2h, 1d"},
    FieldOption{"--at", "not_before", "start no earlier than this: 2026-01-31T12:00:00Z"},
    FieldOption{"--ttl", "queue_timeout", "longest wait once ready, 0 = for ever"},
    FieldOption{"--attempts", "max_attempts", "attempts at most"},
    FieldOption{"--delivery", "delivery", "at-least-once or at-most-once"},
    FieldOption{"--durability", "durability", "fsync, os or memory"},
    FieldOption{"--ordering-key", "ordering_key", "jobs of one key run one at a time, in order"},
    FieldOption{"--subject", "subject", "the end user whom the job belongs to"},
    FieldOption{"--metadata", "metadata", "JSON kept with the job"},
    FieldOption{"--traceparent", "traceparent", "W3C trace context"},
};

void add_list_options(CLI::App& command, ListOptions& options) {
  command.add_option("--type", options.type, "only this type");
  command.add_option("--queue", options.queue, "only this queue");
  command.add_option("--since", options.since, "created since: 1h ago, or 2026-01-31T12:00:00Z");
  command.add_option("--until", options.until, "created before: 1h ago, or 2026-01-31T12:00:00Z");
  command.add_option("--before", options.before, "only jobs older than this id: the last one of a page");
  command.add_option("--limit", options.limit, "at most so many, newest first (50)")
      ->check(CLI::Range(1u, 1'000'000u));
}

void add_list_command(CLI::App& app, Chosen& chosen) {
  CLI::App& command = add_command(app, "ls", "List jobs, newest first", "pqctl ls --state failed --since 1h");
  const auto options = std::make_shared<ListOptions>();
  command.add_option("--state", options->states, "only these states, separated by commas")->delimiter(',');
  add_list_options(command, *options);
  command.add_option("--user", options->user, "only jobs of this user, by name or uid");
  command.callback(
      [options, &chosen] { chosen = [options](Context& context) { return run_list(context, *options); }; });
}

}  // namespace

void add_field_options(CLI::App& command, const std::shared_ptr<void>& keep, SubmitOptions& to,
                       FieldsFor use) {
  for (const FieldOption& field : kFieldOptions) {
    const std::string_view option = field.option;
    const bool own = option == "--key" || option == "--delay" || option == "--at";
    if (own && use == FieldsFor::kSchedule) continue;
    command.add_option_function<std::string>(
        field.option,
        [keep, &to, &field](const std::string& text) { to.fields.emplace_back(field.field, text); },
        field.help);
  }
}

void add_submit_command(CLI::App& app, Chosen& chosen) {
  CLI::App& command = add_command(app, "submit", "Submit a job, or many; prints the id of each",
                                  "pqctl submit mail '{\"to\":\"ann\"}' --queue web --delay 30s");
  const auto options = std::make_shared<SubmitOptions>();
  const auto type = std::make_shared<std::string>();
  const auto payload = std::make_shared<std::string>();
  CLI::Option* type_option = command.add_option("TYPE", *type, "what kind of job it is");
  CLI::Option* payload_option =
      command.add_option("PAYLOAD", *payload, "its payload: text, @FILE, or - for standard input");
  add_field_options(command, options, *options, FieldsFor::kSubmit);
  CLI::Option* ndjson = command.add_option("--ndjson", options->ndjson,
                                           "submit one job for each line of FILE, - is standard input");
  CLI::Option* wait =
      command.add_flag("--wait", options->wait, "wait for the job's end and print its result");
  command.get_option("--delay")->excludes("--at");
  ndjson->excludes(wait)->excludes(payload_option);
  command.callback([=, &chosen] {
    if (type_option->count() == 0 && ndjson->count() == 0) throw CLI::RequiredError("TYPE");
    if (type_option->count() != 0) options->fields.emplace_back("type", *type);
    if (payload_option->count() != 0) options->payload = *payload;
    chosen = [options](Context& context) { return run_submit(context, *options); };
  });
}

void add_job_commands(CLI::App& app, Chosen& chosen) {
  const auto id = std::make_shared<std::string>();
  const auto running = std::make_shared<bool>(false);
  CLI::App& get =
      add_command(app, "get", "Show a job", "pqctl get 0199f3a2-5b1c-7000-8000-000000000001 -o json");
  get.add_option("ID", *id, "the job's id")->required();
  get.callback([=, &chosen] { chosen = [id](Context& context) { return run_get(context, *id); }; });
  CLI::App& explain = add_command(app, "explain", "Say why a job is where it is, and what to do about it",
                                  "pqctl explain 0199f3a2-5b1c-7000-8000-000000000001");
  explain.add_option("ID", *id, "the job's id")->required();
  explain.callback([=, &chosen] { chosen = [id](Context& context) { return run_explain(context, *id); }; });
  add_list_command(app, chosen);
  CLI::App& wait =
      add_command(app, "wait", "Wait until a job has ended and print its result; --timeout bounds the wait",
                  "pqctl wait 0199f3a2-5b1c-7000-8000-000000000001 --timeout 30s");
  wait.add_option("ID", *id, "the job's id")->required();
  wait.callback([=, &chosen] { chosen = [id](Context& context) { return run_wait(context, *id); }; });
  CLI::App& cancel = add_command(app, "cancel", "Cancel a job",
                                 "pqctl cancel 0199f3a2-5b1c-7000-8000-000000000001 --running");
  cancel.add_option("ID", *id, "the job's id")->required();
  cancel.add_flag("--running", *running, "also when a consumer has it: asks it to stop");
  cancel.callback(
      [=, &chosen] { chosen = [=](Context& context) { return run_cancel(context, *id, *running); }; });
}

void add_events_command(CLI::App& app, Chosen& chosen) {
  CLI::App& command = add_command(
      app, "events",
      "Show what has changed about jobs lately, or with -f what changes from now on.\n"
      "Who reads too slowly misses events and is told how many; nothing else waits for the reader",
      "pqctl events -f --queue mail --state failed");
  const auto options = std::make_shared<EventsOptions>();
  command.add_flag("-f,--follow", options->follow, "go on, with each change when it is durable");
  command.add_option(
      "-n,--last", options->last,
      "first so many of the latest changes (50, with -f none); about a thousand are remembered");
  command.add_option("--queue", options->wanted.queue, "only jobs of this queue");
  command.add_option("--type", options->wanted.type, "only jobs of this type");
  command.add_option("--user", options->wanted.user, "only jobs of this user, by name or uid");
  command.add_option("--job", options->job, "only this job, by its id");
  command
      .add_option("--state", options->wanted.states,
                  "only changes that lead to these states, separated by commas")
      ->delimiter(',');
  command.callback(
      [options, &chosen] { chosen = [options](Context& context) { return run_events(context, *options); }; });
}

void add_work_command(CLI::App& app, Chosen& chosen, const std::vector<std::string>& words) {
  CLI::App& command = add_command(
      app, "work",
      "Run CMD for each job: payload on its standard input, PQD_JOB_ID and more in its environment. Exit 0 "
      "completes the job with the output as result, 65 fails it for good, else it is tried again.\n"
      "With --batch CMD gets all jobs of a batch, as a JSON object a line: id, type, payload or "
      "payload_base64, and more. Its exit settles all of them but those that it printed a line about:\n"
      "  {\"id\": ID, \"outcome\": \"complete\", \"result\": VALUE}\n"
      "  {\"id\": ID, \"outcome\": \"fail\", \"error\": TEXT, \"retry\": false}\n"
      "  {\"id\": ID, \"outcome\": \"release\"}\n"
      "With --pool CMD stays: it gets job after job as such lines, and prints such a line about each.",
      "pqctl work mail --concurrency 4 -- ./send-mail --quiet");
  const auto options = std::make_shared<WorkOptions>();
  command.add_option("TYPE", options->types, "types of jobs to take")->required()->expected(1, 64);
  command.add_option("--queue", options->queue, "queue to take them from (default)");
  command.add_option("--concurrency", options->concurrency, "commands running at once (1)")
      ->check(CLI::Range(1u, 1'000u));
  command
      .add_option("--ahead", options->ahead,
                  "jobs, or batches, taken at once, so that the next is at hand (as many as run)")
      ->check(CLI::Range(1u, 65'536u));
  command.add_flag("--batch", options->batch, "run CMD once for each batch; a job of another mode is one");
  command
      .add_flag("--pool", options->pool, "keep commands running, each for one job after the other, as lines")
      ->excludes("--batch");
  const auto idle = std::make_shared<std::string>(duration_text(options->idle_timeout));
  command
      .add_option(
          "--idle-timeout", *idle,
          "how long a command of the pool waits for a job before it is ended (" + *idle + ", 0 = for ever)")
      ->needs("--pool");
  command.callback([options, idle, words, &chosen] {
    const auto idle_timeout = parse_duration(*idle);
    if (!idle_timeout)
      throw CLI::ValidationError("--idle-timeout",
                                 "\"" + *idle + "\" must be " + std::string(kDurationForms));
    options->idle_timeout = *idle_timeout;
    if (words.empty())
      throw CLI::ValidationError("work",
                                 "the command is missing; put it behind --, as in: pqctl work TYPE -- CMD");
    options->command = words;
    chosen = [options](Context& context) { return run_work(context, *options); };
  });
}

}  // namespace pqd::ctl
