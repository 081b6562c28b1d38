// pqctl get ID
#include <boost/json/object.hpp>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/info_json.h"
#include "tools/pqctl/job_view.h"

namespace pqd::ctl {

int run_get(Context& context, const std::string& id_text) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto job = client->get(*id);
  if (!job) return context.fail(job.error());
  if (context.format() == Format::kTable) {
    context.print(job_sheet(*job));
  } else {
    context.print_json(boost::json::value(job_json(*job)));
  }
  return kExitOk;
}

}  // namespace pqd::ctl
