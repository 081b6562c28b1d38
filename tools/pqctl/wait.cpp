// pqctl wait ID
#include "tools/pqctl/commands.h"
#include "tools/pqctl/job_view.h"

namespace pqd::ctl {

int run_wait(Context& context, const std::string& id_text) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto job = wait_for_end(*client, *id, context.timeout());
  if (!job) return context.fail(job.error());
  return report_end(context, *job);
}

}  // namespace pqd::ctl
