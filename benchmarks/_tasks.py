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
    "debian": Task(
        "Which section of a software archive does this package belong to?",
        {
            "amateur radio": "software for radio amateurs",
            "communication lines": "faxes, modems, serial lines and telephony",
            "databases": "database servers, their clients and tools",
            "editors": "editors of text and code",
            "electronics": "circuits, hardware description and microcontrollers",
            "email": "mail servers and clients, filters and mailing lists",
            "fonts": "font files and tools for fonts",
            "games": "games and toys",
            "graphics": "viewing, editing, converting and making pictures",
            "localization": "language packs and translations of other software",
            "mathematics": "numerical and symbolic mathematics, statistics",
            "networks": "network servers, clients and tools, except web and mail",
            "operating system kernel": "kernels, their modules and tools",
            "other operating systems": "emulators of, and tools for, other systems",
            "science": "biology, chemistry, physics, astronomy, geography and such",
            "software development": "compilers, debuggers and other programmers' tools",
            "sound": "playing, recording, converting and making sound and music",
            "system administration": "installing, configuring and watching systems",
            "text processing": "formatting, converting and searching texts",
            "utilities": "small tools for files, disks and devices, and what fits "
            "nowhere else",
            "version control": "version control systems and their tools",
            "video": "playing, recording, editing and converting video",
            "web": "browsers, applications and tools for the web",
            "web servers": "web servers and their modules",
        },
        "description of a package",
    ),
    "debian_de": Task(
        "Which section of a software archive does this package belong to? The "
        "descriptions are in German.",
        {
            "email": "mail servers and clients, filters and mailing lists",
            "games": "games and toys",
            "graphics": "viewing, editing, converting and making pictures",
            "networks": "network servers, clients and tools, except web and mail",
            "science": "biology, chemistry, physics, astronomy, geography and such",
            "sound": "playing, recording, converting and making sound and music",
            "system administration": "installing, configuring and watching systems",
            "text processing": "formatting, converting and searching texts",
        },
        "German description of a package",
    ),
}
