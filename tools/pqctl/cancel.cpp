// pqctl cancel ID [--running]
#include "tools/pqctl/commands.h"
#include "tools/pqctl/job_view.h"

namespace pqd::ctl {

int run_cancel(Context& context, const std::string& id_text, bool running) {
  const auto id = parse_id(id_text);
  if (!id) return context.fail(id.error());
  auto client = context.connect();
  if (!client) return context.fail(client.error());
  const auto cancelled = client->cancel(*id, running);
  if (cancelled) return kExitOk;
  Complaint complaint = complaint_of(cancelled.error());
  if (cancelled.error().error == Error::kInvalidStatus && !running) {
    complaint.text += " A job in a consumer's hands is cancelled with --running.";
  }
  return context.fail(complaint);
}

}  // namespace pqd::ctl
