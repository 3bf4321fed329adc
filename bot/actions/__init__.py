"""What the assistant does in a turn. Actions only read; what is to happen they return as commands.

Every action of the assistant is registered here, by name.
"""

from rasa_sdk.executor import ActionExecutor

from actions.answering import (
    ActionAffirm,
    ActionAnswer,
    ActionChooseArticle,
    ActionDeny,
    ActionHelped,
    ActionNotHelped,
)
from actions.catalogue import ActionBeginItem, ActionShowCatalogue
from actions.form.steps import (
    ActionAnswerInForm,
    ActionAskFormAnswer,
    ActionBeginTicket,
    ActionCancel,
    ActionFormIsOver,
    ActionGoOnWithForm,
    ActionSubmitTicket,
    ValidateTicketForm,
)
from actions.handed_back import ActionWhatWasSaid
from actions.handing_over import ActionAcceptHuman, ActionHandOff
from actions.knowledge import Knowledge
from actions.talking import (
    ActionAskAgain,
    ActionDeclineHuman,
    ActionGoodbye,
    ActionGreet,
    ActionSwitchLanguage,
    ActionThanks,
)
from actions.tickets import ActionAddToTicket, ActionTicketStatus


def executor_of_all(knowledge: Knowledge | None = None) -> ActionExecutor:
    """Return an executor that knows every action, all over one connection to the desk."""
    knowledge = knowledge or Knowledge.from_environment()
    executor = ActionExecutor()
    for action in (
        ActionAcceptHuman(),
        ActionAddToTicket(),
        ActionAffirm(knowledge),
        ActionAnswer(knowledge),
        ActionAnswerInForm(knowledge),
        ActionAskAgain(),
        ActionAskFormAnswer(),
        ActionBeginItem(knowledge),
        ActionBeginTicket(knowledge),
        ActionCancel(),
        ActionChooseArticle(),
        ActionDeclineHuman(),
        ActionDeny(),
        ActionFormIsOver(),
        ActionGoOnWithForm(),
        ActionGoodbye(),
        ActionGreet(),
        ActionHandOff(),
        ActionHelped(),
        ActionNotHelped(),
        ActionShowCatalogue(knowledge),
        ActionSubmitTicket(),
        ActionSwitchLanguage(),
        ActionThanks(),
        ActionTicketStatus(),
        ActionWhatWasSaid(),
        ValidateTicketForm(),
    ):
        executor.register_action(action)
    return executor
