// The pieces that the grammar of the command line is put together from; private to command_line.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/pqctl/command_line.h"

namespace pqd::ctl {

using Chosen = std::function<int(Context&)>;

// All commands there are. `command`: what `work` runs.
void add_all_commands(CLI::App& app, Chosen& chosen, const std::vector<std::string>& command = {});

// Each adds its commands to `app`; parsing one of them sets `chosen`.
void add_submit_command(CLI::App& app, Chosen& chosen);
void add_job_commands(CLI::App& app, Chosen& chosen);  // get, explain, ls, wait, cancel
void add_events_command(CLI::App& app, Chosen& chosen);
void add_work_command(CLI::App& app, Chosen& chosen, const std::vector<std::string>& command);
void add_bench_command(CLI::App& app, Chosen& chosen);
void add_queue_commands(CLI::App& app, Chosen& chosen);  // queue ..., dlq ...
void add_dlq_commands(CLI::App& app, Chosen& chosen);    // dlq ...; called by the one above
void add_metrics_command(CLI::App& app, Chosen& chosen);
void add_cron_commands(CLI::App& app, Chosen& chosen);
void add_config_commands(CLI::App& app, Chosen& chosen);  // config ..., doctor
void add_store_commands(CLI::App& app, Chosen& chosen);
void add_daemon_commands(CLI::App& app, Chosen& chosen);  // health, completion, version

// The options that describe a job. A schedule's has no time of its own and no idempotency key. `keep` owns
// `to`.
enum class FieldsFor : uint8_t { kSubmit, kSchedule };
void add_field_options(CLI::App& command, const std::shared_ptr<void>& keep, SubmitOptions& to,
                       FieldsFor use);

// A subcommand with its description and one example for its help.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& what,
                      const std::string& example);

}  // namespace pqd::ctl
