"""Say what is asked of each data set; both ways of asking get the same words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What a user would say of a data set, written without a look at its rows."""

    task: str
    classes: dict[str, str]
    record: str


TASKS = {
    "youtube": Task(
        "Is this comment on a YouTube video spam?",
        {
            "HAM": "a genuine comment on the video, its music or the people in it",
            "SPAM": "advertising, links, scams, and requests to subscribe to or to "
            "look at something else",
        },
        "YouTube comment",
    ),
    "yelp": Task(
        "Is this review of a business positive or negative?",
        {
            "negative": "the reviewer is on the whole dissatisfied",
            "positive": "the reviewer is on the whole satisfied",
        },
        "Yelp review",
    ),
    "medabs_singlelabel": Task(
        "Which kind of condition does this abstract of a medical article deal with?",
        {
            "cardiovascular diseases": "of the heart and the blood vessels",
            "digestive system diseases": "of the digestive tract, liver, gallbladder "
            "and pancreas",
            "general pathological conditions": "processes, signs and symptoms that "
            "belong to no single organ system, such as inflammation, injury, "
            "infection, pain or complications of a treatment",
            "neoplasms": "cancer and other tumours of any organ",
            "nervous system diseases": "of the brain, the spinal cord and the nerves, "
            "including those of muscles and of the senses",
        },
        "medical abstract",
    ),
    "agnews": Task(
        "What is this news article about?",
        {
            "Business": "companies, markets, trade and the economy",
            "Sci/Tech": "science, technology, computers and the internet",
            "Sports": "matches, athletes, teams and leagues",
            "World": "politics, conflicts, disasters and other events of the world",
        },
        "news article",
    ),
}
