// Names of queues on a command line, and what to say about those that do not exist.
#pragma once

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

Checked<void> check_queue_name(std::string_view queue);

// NOT_FOUND with the queue that may have been meant and with what makes a new one; any other failure as it
// is.
Complaint queue_complaint(Client& client, std::string_view queue, const Failure& failure);

// "max_active = 5, fair = "user"": what was set at run time, as the configuration would have it.
std::string overridden_text(const QueueInfo& queue);

}  // namespace pqd::ctl
