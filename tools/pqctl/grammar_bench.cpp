// The grammar of the command that measures.
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {

void add_bench_command(CLI::App& app, Chosen& chosen) {
  CLI::App& command =
      add_command(app, "bench",
                  "Measure the daemon as this user has it, within the user's and the queue's limits: submits "
                  "waited for one "
                  "by one, submits in bursts, and whole lives from submit over delivery to completion.\n"
                  "Its jobs are of type pqctl-bench in a queue of their own. None is left when it ends; like "
                  "all that end "
                  "they stay in the history, unless their durability is memory",
                  "pqctl bench --seconds 5 --producers 4");
  const auto options = std::make_shared<BenchOptions>();
  const auto durability = std::make_shared<std::string>(durability_name(options->durability));
  command.add_option("--seconds", options->seconds, "how long each measurement takes (2)")
      ->check(CLI::Range(0.01, 3'600.0));
  command.add_option("--producers", options->producers, "connections that submit at once (1)")
      ->check(CLI::Range(1u, 256u));
  command.add_option("--bytes", options->bytes, "of each payload (200)")
      ->check(CLI::Range(kBenchBytesMin, size_t{limits::kPayloadBytesDefault}));
  command.add_option("--durability", *durability, "fsync, os or memory (fsync)");
  command.add_option("--queue", options->queue, "queue to put its jobs into (pqctl-bench)");
  command.callback([=, &chosen] {
    const auto parsed = parse_durability(*durability);
    if (!parsed)
      throw CLI::ValidationError("--durability", "\"" + *durability + "\" must be fsync, os or memory");
    options->durability = *parsed;
    chosen = [options](Context& context) { return run_bench(context, *options); };
  });
}

}  // namespace pqd::ctl
